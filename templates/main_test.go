package templates_test

import (
	"testing"

	"go.uber.org/goleak"

	"heddle/steps"
)

func TestMain(m *testing.M) {
	steps.ScriptHelperMain() // scripts run in this same program
	goleak.VerifyTestMain(m)
}
