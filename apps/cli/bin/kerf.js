#!/usr/bin/env node
// A file of its own, so that it is there, and executable, before the first build: npm links commands when it installs.
import '../dist/main.js';
