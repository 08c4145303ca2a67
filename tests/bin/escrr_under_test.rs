//! The same binary once more: Cargo hands a binary's path only to the tests of its own package.

fn main() -> std::process::ExitCode {
    escrr::main()
}
