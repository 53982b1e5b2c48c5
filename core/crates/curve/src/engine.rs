//! Which arithmetic does the heavy work: one element at a time with `blst`, or eight lanes of AVX-512 IFMA.
//!
//! Both give the same results to the bit; only their speed differs. The choice is made at the first use, from what the
//! processor has and from the environment variable [`SWITCH`], and may be changed by the program.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::vector;

/// Set to `off`, this environment variable keeps the vector engine switched off.
pub const SWITCH: &str = "MARGINPROOF_VECTOR_FIELD";

/// How fields and curves are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Engine {
    /// `blst`, one element at a time; on every processor.
    Scalar = 1,
    /// Eight elements at a time; on processors with AVX-512 IFMA.
    Vector = 2,
}

/// 0 until the first use.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

impl Engine {
    /// The engine that works now.
    pub fn active() -> Self {
        match CHOSEN.load(Ordering::Relaxed) {
            1 => Self::Scalar,
            2 => Self::Vector,
            _ => {
                let engine = Self::for_environment(std::env::var(SWITCH).ok().as_deref());
                CHOSEN.store(engine as u8, Ordering::Relaxed);
                engine
            }
        }
    }

    /// Switches; an engine that this processor cannot run is refused with `false` and changes nothing.
    pub fn select(self) -> bool {
        let possible = self.is_supported();
        if possible {
            CHOSEN.store(self as u8, Ordering::Relaxed);
        }
        possible
    }

    /// Whether this processor can run it.
    pub fn is_supported(self) -> bool {
        match self {
            Self::Scalar => true,
            Self::Vector => vector::is_supported(),
        }
    }

    /// For tests that compare the engines; says so where there is one only.
    #[cfg(test)]
    pub(crate) fn supported() -> impl Iterator<Item = Self> {
        if !Self::Vector.is_supported() {
            eprintln!("this processor has no AVX-512 IFMA: nothing to compare");
        }
        [Self::Scalar, Self::Vector].into_iter().filter(|engine| engine.is_supported())
    }

    fn for_environment(switch: Option<&str>) -> Self {
        if switch != Some("off") && Self::Vector.is_supported() { Self::Vector } else { Self::Scalar }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_switches_the_vector_engine_off() {
        assert_eq!(Engine::for_environment(Some("off")), Engine::Scalar);
        let best = if Engine::Vector.is_supported() { Engine::Vector } else { Engine::Scalar };
        assert_eq!(Engine::for_environment(None), best);
        assert_eq!(Engine::for_environment(Some("on")), best);
    }

    #[test]
    fn only_what_the_processor_has_can_be_selected() {
        assert!(Engine::Scalar.is_supported());
        assert_eq!(Engine::Vector.select(), Engine::Vector.is_supported());
    }
}
