#!/bin/sh
# Builds the program, runs it and its test.
set -eu
cd "$(dirname "$0")"
export CARGO_TARGET_DIR=/tmp/greeting
cargo run --quiet --offline
cargo test --quiet --offline
