//! The `escrr` binary; everything is in the library.

fn main() -> std::process::ExitCode {
    escrr::main()
}
