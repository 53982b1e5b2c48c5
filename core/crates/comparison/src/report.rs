//! The tables that a run prints.

use serde_json::Value;

use crate::figures::KEYS;

/// Every figure of both engines; targets stand beside what they bound.
pub fn print_figures(document: &Value) {
    println!(
        "{}; medians of {}, milliseconds\n",
        document["machine"]["cpu"].as_str().unwrap_or(""),
        document["rounds"]
    );
    println!("{:22}{:>10}  {:>8} {:12}{:>10}  {:>8} {:12}", "", "scalar", "must", "", "vector", "aim", "");
    for key in KEYS {
        let target = &document["targets"][key];
        let [scalar, vector] = ["scalar", "vector"].map(|engine| shown(&document[engine][key]));
        let [must, aim] = ["must", "aim"].map(|kind| {
            let text = |name: &str| target[kind][name].as_str().unwrap_or("").to_owned();
            format!("{:>8} {:12}", text("bound"), text("verdict"))
        });
        println!("{}", format!("{key:22}{scalar:>10}  {must}{vector:>10}  {aim}").trim_end());
    }
    println!();
    for (key, figure) in document["peers"].as_object().expect("figures") {
        println!("{key:22}{:>10}", shown(figure));
    }
    for (engine, figures) in document["other_cores"].as_object().expect("one set to an engine") {
        for (key, figure) in figures.as_object().expect("figures") {
            println!("{key:30}{:>10}  {engine} engine", shown(figure));
        }
    }
    for (engine, wholes) in document["parts"].as_object().expect("one table to an engine") {
        for (whole, rows) in wholes.as_object().expect("tables of parts") {
            println!("\nwhere the time goes: {whole}, {engine} engine");
            for row in rows.as_array().expect("rows") {
                println!("  {:20}{:>10}", row[0].as_str().unwrap_or(""), shown(&row[1]));
            }
        }
    }
}

fn shown(figure: &Value) -> String {
    match figure.as_f64() {
        Some(number) if figure.is_f64() => format!("{number:.3}"),
        Some(_) => figure.to_string(),
        None => "–".to_owned(),
    }
}

/// Every curve of a sweep, a line to a place on its axis.
pub fn print_sweep(document: &Value) {
    for (name, curves) in ["n", "rows", "columns", "batch"].map(|name| (name, &document[name])) {
        let series = flattened(curves);
        let heads: String = series.iter().map(|(head, _)| format!("{head:>16}")).collect();
        println!("{name:8}{heads}");
        for (at, place) in curves["axis"].as_array().expect("an axis").iter().enumerate() {
            let cells: String = series.iter().map(|(_, values)| format!("{:>16}", shown(&values[at]))).collect();
            println!("{:8}{cells}", place.to_string());
        }
        println!();
    }
}

/// The curves under one name, with what each is of.
fn flattened(curves: &Value) -> Vec<(String, &Value)> {
    let mut series = Vec::new();
    for (name, values) in curves.as_object().expect("curves").iter().filter(|(name, _)| *name != "axis") {
        match values.as_object() {
            Some(by_engine) => series.extend(by_engine.iter().map(|(engine, list)| (format!("{name} {engine}"), list))),
            None => series.push((name.clone(), values)),
        }
    }
    series
}
