//! The figures of `make bench-core`: ours beside the peers, in one run.

use curve::Engine;
use serde_json::{Map, Value, json};

use crate::interleaved::{Interleaved, Medians};
use crate::ours::{Batch, Example, Rows, Threads, table_mebibytes};
use crate::parts::Pieces;
use crate::peers::{Dalek, PEER_VALUES, Tari};
use crate::{machine, parts, targets};

/// How often everything is measured.
const ROUNDS: usize = 31;
/// How many proofs are verified together.
const BATCH: usize = 64;

/// The keys of every engine's figures, in the order in which they are shown.
pub const KEYS: [&str; 16] = [
    "prove",
    "prove_without_check",
    "verify",
    "verify_batch64_each",
    "prove_2048x64",
    "verify_2048x64",
    "proof_bytes",
    "dalek_prove",
    "dalek_verify",
    "tari_batch64_each",
    "ratio_prove",
    "ratio_verify",
    "ratio_batch_vs_dalek",
    "ratio_batch_vs_tari",
    "table_mib",
    "threads",
];

/// Figures of both engines; those of the engine that runs by default stand at the top level.
pub fn measure() -> Value {
    let small = Example::new(256, Rows::Weighted { count: 16, bits: 96 });
    let batch = small.batch(BATCH);
    let large = Example::new(2048, Rows::Values { count: 2048 });
    let (dalek, tari) = (Dalek::new(PEER_VALUES), Tari::new(PEER_VALUES, BATCH));
    let pieces = Pieces::new(&small, BATCH);
    let mut tasks = Interleaved::default();
    add_peers(&mut tasks, &dalek, &tari);
    tasks.add("prepare statement", Engine::active(), || small.prepare());
    for engine in engines() {
        add_ours(&mut tasks, engine, (&small, &batch, &large));
        pieces.add_proving(&mut tasks, engine);
        pieces.add_verifying(&mut tasks, engine, &batch, 1);
        pieces.add_verifying(&mut tasks, engine, &batch, BATCH);
    }
    let medians = tasks.run(ROUNDS);
    let of = |engine: Engine| engine.is_supported().then(|| ours(engine, &medians, &small));
    let (scalar, vector) = (of(Engine::Scalar), of(Engine::Vector));
    let mut document = of(Engine::active()).expect("the active engine is supported");
    document.insert("engine".into(), engine_name(Engine::active()).into());
    document.insert("targets".into(), targets::judge(scalar.as_ref(), vector.as_ref()));
    document.insert("scalar".into(), json!(scalar));
    document.insert("vector".into(), json!(vector));
    let parts = engines().map(|engine| (engine_name(engine).to_owned(), parts::table(&medians, engine, BATCH)));
    document.insert("parts".into(), Value::Object(parts.collect()));
    let elsewhere = engines().map(|engine| (engine_name(engine).to_owned(), on_other_cores(engine, &medians)));
    document.insert("other_cores".into(), Value::Object(elsewhere.collect()));
    document.insert("prepare_statement".into(), rounded(medians.of("prepare statement")));
    document.insert("peers".into(), peers(&medians, &dalek, &tari));
    document.insert("machine".into(), machine::description());
    document.insert("rounds".into(), ROUNDS.into());
    Value::Object(document)
}

/// The engines that this processor runs.
pub fn engines() -> impl Iterator<Item = Engine> {
    [Engine::Scalar, Engine::Vector].into_iter().filter(|engine| engine.is_supported())
}

/// What the figures call an engine.
pub fn engine_name(engine: Engine) -> &'static str {
    match engine {
        Engine::Scalar => "scalar",
        Engine::Vector => "vector",
    }
}

fn add_peers<'a>(tasks: &mut Interleaved<'a>, dalek: &'a Dalek, tari: &'a Tari) {
    let engine = Engine::active();
    tasks.add("dalek prove", engine, || dalek.prove());
    tasks.add("dalek verify", engine, || dalek.verify());
    tasks.add("tari prove", engine, || tari.prove());
    tasks.add("tari verify", engine, || tari.verify(1));
    tasks.add("tari batch", engine, || tari.verify(BATCH));
}

fn add_ours<'a>(
    tasks: &mut Interleaved<'a>,
    engine: Engine,
    (small, batch, large): (&'a Example, &'a Batch<'a>, &'a Example),
) {
    let named = |task: &str| format!("{} {task}", engine_name(engine));
    tasks.add(named("prove"), engine, || small.prove(Threads::One));
    tasks.add(named("verify"), engine, || small.verify());
    tasks.add(named("batch"), engine, || batch.verify(BATCH, Threads::One));
    tasks.add(named("verify 2048"), engine, || large.verify());
    tasks.add(named("prove 2048, one core"), engine, || large.prove(Threads::One));
    tasks.add_parallel(named("prove 2048"), engine, || large.prove(Threads::All));
    tasks.add_parallel(named("prove, all cores"), engine, || small.prove(Threads::All));
    tasks.add_parallel(named("batch, all cores"), engine, || batch.verify(BATCH, Threads::All));
}

/// The figures of one engine, each beside the same peers.
fn ours(engine: Engine, medians: &Medians, small: &Example) -> Map<String, Value> {
    let of = |task: &str| medians.of(&format!("{} {task}", engine_name(engine)));
    let (prove, verify, batch) = (of("prove"), of("verify"), of("batch") / BATCH as f64);
    let (dalek_prove, dalek_verify) = (medians.of("dalek prove"), medians.of("dalek verify"));
    let tari_batch = medians.of("tari batch") / BATCH as f64;
    let figures = [
        prove,
        prove - verify,
        verify,
        batch,
        of("prove 2048"),
        of("verify 2048"),
        small.proof_bytes() as f64,
        dalek_prove,
        dalek_verify,
        tari_batch,
        dalek_prove / prove,
        dalek_verify / verify,
        dalek_verify / batch,
        tari_batch / batch,
        table_mebibytes(256),
        Threads::All.count().get() as f64,
    ];
    KEYS.into_iter().zip(figures).map(|(key, figure)| (key.into(), rounded(figure))).collect()
}

/// What the figures give for one core, done by all; and the other way round.
fn on_other_cores(engine: Engine, medians: &Medians) -> Value {
    let of = |task: &str| medians.of(&format!("{} {task}", engine_name(engine)));
    json!({
        "prove_all_cores": rounded(of("prove, all cores")),
        "verify_batch64_each_all_cores": rounded(of("batch, all cores") / BATCH as f64),
        "prove_2048x64_one_core": rounded(of("prove 2048, one core")),
    })
}

/// What the peers' proofs cost besides.
fn peers(medians: &Medians, dalek: &Dalek, tari: &Tari) -> Value {
    json!({
        "dalek_bytes": dalek.proof_bytes(),
        "tari_prove": rounded(medians.of("tari prove")),
        "tari_verify": rounded(medians.of("tari verify")),
        "tari_bytes": tari.proof_bytes(),
    })
}

/// Four digits after the point; whole numbers without any.
pub fn rounded(figure: f64) -> Value {
    let rounded = (figure * 1e4).round() / 1e4;
    if rounded.fract() == 0.0 { json!(rounded as i64) } else { json!(rounded) }
}
