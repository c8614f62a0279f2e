#!/bin/sh
# Installs Playwright, and tests a page in Chromium.
set -eu
cd "$(dirname "$0")"
[ -d node_modules ] || npm install --no-audit --no-fund
node_modules/.bin/playwright test
