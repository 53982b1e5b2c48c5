//! What the figures were measured on.

use curve::Engine;
use serde_json::{Value, json};

use crate::ours::Threads;

/// The model of the processor as it names itself, and how many cores this process may use.
pub fn description() -> Value {
    let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = information.lines().find(|line| line.split(':').next().map(str::trim) == Some(name));
        line.and_then(|line| line.split(':').nth(1)).map_or("unknown", str::trim)
    };
    json!({
        "cpu": field("model name"),
        "family_model": format!("family {}, model {}", field("cpu family"), field("model")),
        "cores": Threads::All.count(),
        "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        "vector_engine": Engine::Vector.is_supported(),
    })
}
