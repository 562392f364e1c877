//! The bounds that generated code compares a number with, where they are not as the contract writes them.

mod common;

use std::fs;

use common::{compile, folder};

#[test]
fn a_bound_of_a_float_is_the_nearest_float() {
    let text = r#"syntax = "proto3";
        package shop.v1;
        import "google/protobuf/wrappers.proto";
        import "tegami/v1/options.proto";
        message Rate {
          float narrow = 1 [(tegami.v1.field) = { maximum: 0.1 }];
          google.protobuf.FloatValue wrapped = 2 [(tegami.v1.field) = { minimum: 0.7 }];
          double wide = 3 [(tegami.v1.field) = { maximum: 0.1 }];
          float even = 4 [(tegami.v1.field) = { minimum: 0.5 }];
          float huge = 5 [(tegami.v1.field) = { maximum: 1e300 }];
          float tiny = 6 [(tegami.v1.field) = { minimum: 1e-60 }];
        }"#;
    let folder = folder("floats");
    fs::write(folder.join("a.proto"), text).unwrap();
    let code = compile(&folder)
        .unwrap_or_else(|error| panic!("{error}"))
        .into_values()
        .collect::<String>()
        .replace(char::is_whitespace, "");
    for (check, bound) in [
        ("at_most", f64::from(0.1_f32)),
        ("at_least", f64::from(0.7_f32)),
        ("at_most", 0.1),
        ("at_least", 0.5),
        ("at_most", 1e300),
        ("at_least", 1e-60),
    ] {
        assert!(code.contains(&format!(".{check}(*value,{bound}")), "{check} {bound}\n{code}");
    }
}
