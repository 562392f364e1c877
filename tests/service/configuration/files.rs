//! Whatever stands in a file, the answer is settings or an error (K1).

use tegami::{Config, time::Dice};

const RIGHT: &str = "transport = 'memory:'\ndrain = 30 # s\n[http]\naddress = '127.0.0.1:0'\ntrusted_proxies = ['::1/128']\n\
                     [http.limits]\nbody = 1_000\nhead = 0.5\n[schedule]\nzone = '+01:00'\n[app]\nname = \"\"\"x\"\"\"\n";
const CASES: usize = 20_000;

fn bytes(dice: &Dice, length: usize) -> Vec<u8> {
    std::iter::repeat_with(|| dice.uuid().into_bytes()).flatten().take(length).collect()
}

#[test]
fn k1_no_file_of_random_bytes_makes_the_reader_panic() {
    let dice = Dice::seeded(7);
    for case in 0..CASES {
        let text = String::from_utf8_lossy(&bytes(&dice, case % 97)).into_owned();
        if let Ok(config) = Config::parse(&text) {
            let _ = config.app::<std::collections::BTreeMap<String, String>>();
        }
    }
}

#[test]
fn k1_no_change_to_a_right_file_makes_the_reader_panic() {
    let dice = Dice::seeded(7);
    let signs = b"\0\n\r\t \"'#=.,-+_[]{}09aez\\\x7f";
    let mut refused = 0;
    for _ in 0..CASES {
        let mut text = RIGHT.as_bytes().to_vec();
        for change in bytes(&dice, 12).chunks(3) {
            let place = usize::from(change[0]) * text.len() / 256;
            let sign = signs[usize::from(change[1]) % signs.len()];
            match change[2] % 3 {
                0 => text[place] = sign,
                1 => text.insert(place, sign),
                _ => drop(text.remove(place)),
            }
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        match Config::parse(&text) {
            Ok(config) => drop(config.app::<std::collections::BTreeMap<String, String>>()),
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().is_empty() && !error.to_string().contains('\r'));
            }
        }
    }
    assert!(refused > CASES / 2 && refused < CASES, "{refused} of {CASES} refused: the changes try little");
}

#[test]
fn k1_depth_and_length_are_bounded() {
    for text in
        [format!("app = {}", "[".repeat(100_000)), format!("app{} = 1", ".a".repeat(100_000)), "x".repeat(1 << 20)]
    {
        assert!(Config::parse(&text).is_err());
    }
}
