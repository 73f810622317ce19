//! A wrong shape is one readable error of the compiler.

/// The passing program is not only there for itself: with it `trybuild` builds all of them, and only a
/// build evaluates the `const` assertions of `Flatten` and `Dropout`.
#[test]
fn wrong_shapes_do_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("pass/*.rs");
    cases.compile_fail("fail/*.rs");
}
