//! What the project has set itself: "must" on any processor, "aim" where the vector engine runs.

use serde_json::{Map, Value};

/// Figures by their keys.
type Figures = Map<String, Value>;

/// Within this share of an aim is near enough to be named.
const NEAR: f64 = 0.10;

/// Which side of the bound is good.
enum Bound {
    AtLeast,
    AtMost,
}

/// One figure with its bounds.
struct Target {
    key: &'static str,
    bound: Bound,
    must: f64,
    aim: f64,
}

const fn at_least(key: &'static str, must: f64, aim: f64) -> Target {
    Target { key, bound: Bound::AtLeast, must, aim }
}

const fn at_most(key: &'static str, must: f64, aim: f64) -> Target {
    Target { key, bound: Bound::AtMost, must, aim }
}

const TARGETS: [Target; 8] = [
    at_least("ratio_prove", 6.5, 16.0),
    at_least("ratio_verify", 5.5, 9.0),
    at_least("ratio_batch_vs_dalek", 10.0, 30.0),
    at_least("ratio_batch_vs_tari", 2.3, 7.0),
    at_most("prove_2048x64", 130.0, 45.0),
    at_most("verify_2048x64", 3.5, 2.2),
    at_most("proof_bytes", 448.0, 448.0),
    at_most("table_mib", 16.0, 20.0),
];

impl Target {
    fn verdict(&self, figure: f64, bound: f64) -> &'static str {
        let (kept, near) = match self.bound {
            Bound::AtLeast => (figure >= bound, figure >= bound * (1.0 - NEAR)),
            Bound::AtMost => (figure <= bound, figure <= bound * (1.0 + NEAR)),
        };
        if kept {
            "met"
        } else if near {
            "within 10 %"
        } else {
            "missed"
        }
    }

    fn sign(&self) -> char {
        match self.bound {
            Bound::AtLeast => '≥',
            Bound::AtMost => '≤',
        }
    }
}

/// One bound beside its figure, if the figure was measured.
fn judged(target: &Target, figures: Option<&Figures>, bound: f64) -> Option<Value> {
    let figure = figures?.get(target.key)?.as_f64()?;
    let mut row = Map::new();
    row.insert("figure".into(), figure.into());
    row.insert("bound".into(), format!("{} {bound}", target.sign()).into());
    row.insert("verdict".into(), target.verdict(figure, bound).into());
    Some(Value::Object(row))
}

/// For every target its "must" beside the figure of the scalar engine and its "aim" beside that of the vector engine.
pub fn judge(scalar: Option<&Figures>, vector: Option<&Figures>) -> Value {
    let rows = TARGETS.iter().map(|target| {
        let mut row = Map::new();
        row.insert("must".into(), judged(target, scalar, target.must).unwrap_or(Value::Null));
        row.insert("aim".into(), judged(target, vector, target.aim).unwrap_or(Value::Null));
        (target.key.to_owned(), Value::Object(row))
    });
    Value::Object(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bounds_are_judged_on_their_good_side() {
        let (least, most) = (at_least("a", 10.0, 20.0), at_most("b", 10.0, 20.0));
        let verdicts = |target: &Target, figures: [f64; 3]| figures.map(|figure| target.verdict(figure, target.must));
        assert_eq!(verdicts(&least, [10.0, 9.1, 8.9]), ["met", "within 10 %", "missed"]);
        assert_eq!(verdicts(&most, [10.0, 10.9, 11.1]), ["met", "within 10 %", "missed"]);
    }

    #[test]
    fn musts_are_of_the_scalar_engine_and_aims_of_the_vector_engine() {
        let figures = |ratio: f64| Figures::from_iter([("ratio_prove".to_owned(), json!(ratio))]);
        let judged = judge(Some(&figures(6.0)), Some(&figures(17.0)));
        assert_eq!(judged["ratio_prove"]["must"]["verdict"], "within 10 %");
        assert_eq!(judged["ratio_prove"]["aim"]["verdict"], "met");
        assert_eq!(judge(Some(&figures(6.5)), None)["ratio_prove"]["aim"], Value::Null);
    }
}
