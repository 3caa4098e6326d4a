package steps_test

import (
	"context"
	"encoding/json"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/steps"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if text, ok := os.LookupEnv(serverVariable); ok {
		serverMain(text)
		return
	}
	goleak.VerifyTestMain(m)
}

// at is the time of the tests' clock.
var at = time.Date(2026, 3, 8, 7, 0, 0, 0, time.UTC)

// open returns a registry whose steps may reach what allow says (NewGuard); change may
// alter the dependencies first.
func open(t testing.TB, allow string, change ...func(*steps.Deps)) *steps.Registry {
	t.Helper()
	guard, err := steps.NewGuard(allow)
	if err != nil {
		t.Fatal(err)
	}
	deps := steps.Deps{Egress: guard, Version: "1.2.3", Now: func() time.Time { return at }, Log: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&deps)
	}
	r := steps.Default(deps)
	t.Cleanup(r.Close)
	return r
}

// serve starts a server on loopback and returns it with its host:port.
func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// attempt performs one attempt of a step type.
func attempt(t *testing.T, r *steps.Registry, typeName, config string) (executor.Result, *machine.Failure) {
	t.Helper()
	return perform(t.Context(), t, r, call(typeName, config))
}

func call(typeName, config string) executor.Call {
	return executor.Call{
		RunID: "run_1", TenantID: "default", StepID: "s", Type: typeName,
		Attempt: 1, Config: json.RawMessage(config), Key: "run_1/s/0",
	}
}

func perform(ctx context.Context, t *testing.T, r *steps.Registry, c executor.Call) (executor.Result, *machine.Failure) {
	t.Helper()
	res, err := r.Run(ctx, c)
	if err == nil {
		if !json.Valid(res.Output) {
			t.Errorf("output is no JSON: %.200s", res.Output)
		}
		return res, nil
	}
	f, ok := machine.AsFailure(err)
	if !ok {
		t.Fatalf("error is no failure: %v", err)
	}
	return res, f
}

// succeed performs one attempt and decodes its output.
func succeed(t *testing.T, r *steps.Registry, typeName, config string) map[string]any {
	t.Helper()
	res, f := attempt(t, r, typeName, config)
	if f != nil {
		t.Fatalf("failed: %+v", f)
	}
	var out map[string]any
	if err := json.Unmarshal(res.Output, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// fail performs one attempt that must fail with a code.
func fail(t *testing.T, r *steps.Registry, typeName, config, code string, permanent bool) *machine.Failure {
	t.Helper()
	res, f := attempt(t, r, typeName, config)
	if f == nil {
		t.Fatalf("succeeded with %.300s; want %s", res.Output, code)
	}
	if f.Code != code || f.Permanent != permanent {
		t.Fatalf("failed with %s (permanent %v): %s; want %s (permanent %v)", f.Code, f.Permanent, f.Message, code, permanent)
	}
	return f
}

// quiet returns a log that drops everything.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
