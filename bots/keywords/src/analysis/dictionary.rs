//! The dictionary IPADIC, which is part of the program: `build.rs` makes it.

lindera_dictionary::embedded_dictionary!("/ipadic", Ipadic);
