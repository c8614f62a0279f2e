#!/bin/sh
# Builds the program, runs it and its test.
set -eu
cd "$(dirname "$0")"
c++ -std=c++17 -Wall -o /tmp/greeting main.cpp
/tmp/greeting
c++ -std=c++17 -Wall -o /tmp/greeting-test test.cpp
/tmp/greeting-test
