#!/bin/sh
# Builds the program, runs it and its test.
set -eu
cd "$(dirname "$0")"
go build -o /tmp/greeting .
/tmp/greeting
go test .
