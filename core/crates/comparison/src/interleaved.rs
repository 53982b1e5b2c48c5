//! Medians of tasks that run in turns: whatever else the machine does meanwhile slows all of them alike, so that ratios
//! of medians hold where the medians themselves wander. Work on one core is measured in processor time.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

use curve::Engine;
use rustix::time::{ClockId, clock_gettime};

/// A task shorter than this is repeated within its turn, and the turn counts with its own median.
const LEAST_TURN: Duration = Duration::from_millis(4);

/// What a task is measured by.
#[derive(Clone, Copy)]
enum Clock {
    /// The time that this process computes, for work on one core: waiting while others compute does not count.
    Processor,
    /// The time that passes, for work on all cores.
    Wall,
}

impl Clock {
    fn now(self) -> Duration {
        let time = clock_gettime(match self {
            Self::Processor => ClockId::ProcessCPUTime,
            Self::Wall => ClockId::Monotonic,
        });
        Duration::try_from(time).expect("clocks do not run backwards")
    }
}

/// The tasks, in the order of their turns.
#[derive(Default)]
pub struct Interleaved<'a> {
    tasks: Vec<Task<'a>>,
}

struct Task<'a> {
    name: String,
    engine: Engine,
    clock: Clock,
    work: Box<dyn Fn() + 'a>,
    times: Vec<f64>,
}

impl<'a> Interleaved<'a> {
    /// Adds a task on one core under a name of its own; our code computes with `engine` in it.
    pub fn add(&mut self, name: impl Into<String>, engine: Engine, work: impl Fn() + 'a) {
        self.push(name.into(), engine, Clock::Processor, Box::new(work));
    }

    /// Adds a task that uses all cores.
    pub fn add_parallel(&mut self, name: impl Into<String>, engine: Engine, work: impl Fn() + 'a) {
        self.push(name.into(), engine, Clock::Wall, Box::new(work));
    }

    fn push(&mut self, name: String, engine: Engine, clock: Clock, work: Box<dyn Fn() + 'a>) {
        self.tasks.push(Task { name, engine, clock, work, times: Vec::new() });
    }

    /// Measures every task so often, and leaves the engine that was active before.
    pub fn run(mut self, rounds: usize) -> Medians {
        let before = Engine::active();
        for round in 1..=rounds {
            show_progress(round, rounds);
            for task in &mut self.tasks {
                assert!(task.engine.select(), "only engines of this processor are asked for");
                task.times.push(turn(task.clock, &task.work));
            }
        }
        assert!(before.select(), "it was active");
        Medians(self.tasks.into_iter().map(|task| (task.name, median(task.times))).collect())
    }
}

/// Milliseconds by the names of tasks.
pub struct Medians(BTreeMap<String, f64>);

impl Medians {
    /// The median of a task.
    pub fn of(&self, name: &str) -> f64 {
        self.0[name]
    }
}

/// Milliseconds of one call: after one to warm the caches that the others have used meanwhile.
fn turn(clock: Clock, work: &dyn Fn()) -> f64 {
    work();
    let (started, mut times) = (clock.now(), Vec::new());
    let mut before = started;
    while times.is_empty() || before - started < LEAST_TURN {
        work();
        let after = clock.now();
        times.push((after - before).as_secs_f64() * 1e3);
        before = after;
    }
    median(times)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn show_progress(round: usize, rounds: usize) {
    if stderr().is_terminal() {
        let end = if round == rounds { "\r\x1b[K" } else { "" };
        eprint!("\rround {round} of {rounds}{end}");
        stderr().flush().expect("a terminal takes text");
    }
}
