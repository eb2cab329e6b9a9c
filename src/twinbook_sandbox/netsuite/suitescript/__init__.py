"""SuiteScript 2.1 in the emulated account: scripts of a customization project, run as they are by quickjs-ng."""
