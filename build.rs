//! The dashboard is embedded in the program, so it has to be built before.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=web/dist");
    assert!(
        Path::new("web/dist/index.html").exists(),
        "\n\nThe web build is missing: run `make web` (or `npm ci && npm run build` in web/) first.\n\n"
    );
}
