package main

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"heddle/client"
	"io"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// The wired product enforces the rate of keys and the quotas of tenants.
func TestRateAndQuotasOfTheProduct(t *testing.T) {
	t.Parallel()
	database := "HEDDLE_DATABASE_URL=sqlite://" + t.TempDir() + "/heddle.db"
	_, c := startServer(t, io.Discard, database, "HEDDLE_RATE_LIMIT=1/h:3", "HEDDLE_QUOTA_SCHEDULES=1")
	var made struct{ ID string }
	ask := func(method, path string, body, answer any) error {
		return c.Do(t.Context(), client.Request{Method: method, Path: path, Body: body}, answer)
	}
	definition := map[string]any{"name": "w", "steps": []any{map[string]any{"id": "a", "type": "wait", "config": map[string]any{"seconds": 1}}}}
	if err := ask(http.MethodPost, "/api/workflows", map[string]any{"definition": definition}, &made); err != nil {
		t.Fatal(err)
	}
	yearly := map[string]string{"cron_expression": "@yearly"}
	if err := ask(http.MethodPost, "/api/workflows/"+made.ID+"/schedules", yearly, nil); err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"quota_exceeded", "rate_limited"} {
		err := ask(http.MethodPost, "/api/workflows/"+made.ID+"/schedules", yearly, nil)
		var refused *client.Error
		if !errors.As(err, &refused) || refused.Status != http.StatusTooManyRequests || refused.Code != code || refused.RetryAfter <= 0 {
			t.Fatalf("%v, want 429 %s with Retry-After", err, code)
		}
	}
}

// Each setting reaches a part of the product: one that is only read and checked would
// silently have no effect.
func TestSettingsAreUsed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, name := range files {
		if name == "settings.go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				used[s.Sel.Name] = true
			}
			return true
		})
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[settings]()) {
		if !used[f.Name] {
			t.Errorf("nothing outside of settings.go reads settings.%s", f.Name)
		}
	}
}
