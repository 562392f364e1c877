//! Each case under `cases/` is a mistake, beside the exact words of the compiler.

#[test]
fn the_compiler_explains_each_mistake() {
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
