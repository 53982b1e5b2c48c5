//! Option prices of arbitrary doubles: refused by name, or between the intrinsic value and the price of what it is on.

use arbitrary::Unstructured;
use pricing::black76;

pub(crate) fn run(bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let is_call = bytes.arbitrary()?;
    let [forward, strike, volatility, years] = bytes.arbitrary::<[u64; 4]>()?.map(f64::from_bits);
    match black76(is_call, forward, strike, volatility, years) {
        Ok(price) => {
            let (own, other) = if is_call { (forward, strike) } else { (strike, forward) };
            assert!(price >= 0.0 && price >= own - other && price <= own, "{forward} {strike} {volatility} {years}");
        }
        Err(error) => assert!(["forward", "strike", "volatility", "years"].contains(&error.argument())),
    }
    Ok(())
}
