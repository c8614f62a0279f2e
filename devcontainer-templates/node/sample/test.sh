#!/bin/sh
# Builds the program, runs it and its test.
set -eu
cd "$(dirname "$0")"
node "$PWD/greeting.mjs"
node --test
