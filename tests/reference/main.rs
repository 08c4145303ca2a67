//! The pages under `docs/reference/` are made from the program: they cannot say anything else.
