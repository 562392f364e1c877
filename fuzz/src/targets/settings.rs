//! Settings: whatever a file or a variable says is taken, or told in lines that show no secret.

use tegami::Config;

use super::{assert_plain, text, texts};

/// What must not be told.
const PASSWORD: &str = "s3cr3t-c4n4ry";

/// A file, then a key and its value.
pub fn config(data: &[u8]) {
    let data = text(data);
    let [file, key, value] = texts(&data);
    told(Config::parse(file));
    told(Config::new().set(key, value));
    let name = format!("TEGAMI_{}", key.to_ascii_uppercase());
    told(Config::parse_with("", [(name.as_str(), value)]));
    if let Ok(config) = Config::parse(file) {
        told(config.app::<serde_json::Value>());
    }
    let secret = format!("transport = '''amqp://u:{PASSWORD}{}@h'''\n{file}", value.replace('\'', ""));
    if let Err(error) = Config::parse(&secret) {
        assert!(!format!("{error} {error:?}").contains(PASSWORD), "{error}");
    }
}

fn told<T>(read: Result<T, tegami::Error>) {
    let Err(error) = read else { return };
    let text = error.to_string();
    assert!(!text.is_empty());
    text.lines().for_each(assert_plain);
}
