//! Programs that must not compile (`fail/`, each with what the compiler says of it) and one that must
//! (`pass/`).
//!
//! A crate of its own, with few dependencies: `trybuild` checks them all anew. After a change of
//! wording, `TRYBUILD=overwrite cargo test -p motenet-ui` writes the `.stderr` files; read the difference.
