//go:build !crashpoints

package main

import "heddle/executor"

// executorConfig is where the binary of the crash tests puts its hooks. In the
// product there are none.
func executorConfig(c executor.Config) executor.Config { return c }
