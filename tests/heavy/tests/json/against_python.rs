//! The same values, through our layout and through Python's `json.dumps`.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use tegami::codec::json;

use crate::arbitrary::Arbitrary;

const SCRIPT: &str = "
import json, struct, sys
bits, texts = json.load(sys.stdin)
floats = [struct.unpack('<d', struct.pack('<Q', int(one)))[0] for one in bits]
sys.stdout.write(json.dumps([floats, {text: [text, None, True, {}, []] for text in texts}]))
";

fn python(input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("python3");
    let mut child = command.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}

#[test]
fn layout_is_that_of_python() {
    let mut arbitrary = Arbitrary { rng: fastrand::Rng::with_seed(20), entries: 0 };
    let mut floats: Vec<f64> = (-30..30).map(|power| 10_f64.powi(power) * 1.25).collect();
    floats.extend((-330..309).filter_map(|power| format!("1e{power}").parse::<f64>().ok()));
    floats.extend((0..200).map(|n| (1_u64 << 50) as f64 + 0.25 + f64::from(n) / 4.0));
    floats.extend(std::iter::repeat_with(|| arbitrary.double()).filter(|float| float.is_finite()).take(2_000));
    let mut texts: Vec<String> = std::iter::repeat_with(|| arbitrary.text()).take(500).collect();
    texts.sort();
    texts.dedup();

    let bits: Vec<String> = floats.iter().map(|float| float.to_bits().to_string()).collect();
    let theirs = python(&serde_json::to_vec(&(bits, &texts)).unwrap());
    let values = texts.iter().map(|text| (text, (text, (), true, serde_json::Map::new(), [0_u8; 0])));
    let ours = json::to_vec(&(&floats, values.collect::<std::collections::BTreeMap<_, _>>())).unwrap();
    assert_eq!(String::from_utf8(ours).unwrap(), String::from_utf8(theirs).unwrap());
}
