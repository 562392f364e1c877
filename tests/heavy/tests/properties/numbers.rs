//! Numbers of both kinds, compared without loss.

use std::cmp::Ordering;

use tegami::event::Value;

/// A number without loss: its whole part, and the rest.
pub fn exact(value: &Value) -> Option<(i128, f64)> {
    match value {
        Value::Integer(whole) => Some((*whole, 0.0)),
        Value::Float(number) if number.is_finite() => {
            // Of a float beyond every integer, nearly all is rest.
            let whole = number.trunc() as i128;
            Some((whole, number - whole as f64))
        }
        _ => None,
    }
}

pub fn compare(left: (i128, f64), right: (i128, f64)) -> Ordering {
    left.partial_cmp(&right).expect("no part of a finite number is NaN")
}
