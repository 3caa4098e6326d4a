package api

import (
	"context"
	"heddle/executor"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

// bodiesWith writes, for every object that a request of type t may hold, a body
// in which that object is what inner makes of its field names.
func bodiesWith(t reflect.Type, inner func(names []string) []string) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(unmarshaler) || t == reflect.TypeFor[parsedDefinition]() {
		return nil
	}
	var all []string
	wrap := func(before, after string, t reflect.Type) {
		for _, b := range bodiesWith(t, inner) {
			all = append(all, before+b+after)
		}
	}
	switch t.Kind() {
	case reflect.Struct:
		fields, names := fieldsOf(t)
		all = inner(names)
		for _, name := range names {
			wrap(`{"`+name+`":`, `}`, t.FieldByIndex(fields[name]).Type)
		}
	case reflect.Map:
		wrap(`{"k":`, `}`, t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 {
			wrap(`[`, `]`, t.Elem())
		}
	}
	return all
}

// Every route that takes fields takes them by their exact names, once, at every
// depth; what it does not know it refuses, but for the turns dialect, which
// passes it over.
func TestFieldNamesOfEveryRouteAreExact(t *testing.T) {
	t.Parallel()
	h := tableWithoutServices()
	deep := 0
	for i := range h.routes {
		r := &h.routes[i]
		if r.request == nil || r.body == bodyLines { // whose lines package versions reads
			continue
		}
		bodies := bodiesWith(r.request, func(names []string) (list []string) {
			for _, name := range names {
				for _, other := range []string{strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:]} {
					if !slices.Contains(names, other) {
						list = append(list, `{"`+other+`":null}`, `{"`+name+`":null,"`+other+`":null}`)
					}
				}
				list = append(list, `{"`+name+`":null,"`+name+`":null}`, `{"\u00`+hex2(name[0])+name[1:]+`":null,"`+name+`":null}`)
			}
			if !r.tolerant {
				list = append(list, `{"unheard_of":null}`)
			}
			return list
		})
		for _, body := range bodies {
			if strings.Count(body, "{") > 1 {
				deep++
			}
			req := httptest.NewRequestWithContext(context.Background(), r.method, placeholder.ReplaceAllString(r.path, "x"), strings.NewReader(body))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			if w.Code != http.StatusBadRequest {
				t.Errorf("%s takes %s: %d", r.id, body, w.Code)
			}
		}
	}
	if deep < 20 {
		t.Errorf("only %d bodies had objects within objects", deep)
	}
}

func hex2(b byte) string { return string("0123456789abcdef"[b>>4]) + string("0123456789abcdef"[b&15]) }

// tableWithoutServices serves the whole table; a request that gets as far as a
// service fails with 500.
func tableWithoutServices() *Handler {
	h := &Handler{echo: echo.New(), keyLocks: newKeyLocks(), admission: newMemoryBudget(definitionMemory, definitionWait)}
	h.cfg = Config{Executor: &executor.Service{}, Meter: noopMeter{}, Patience: Patience{}.withDefaults(), NewID: func(p string) string { return p + "x" }}
	h.log = slog.New(slog.DiscardHandler)
	h.echo.HTTPErrorHandler = h.unrouted
	h.routes = h.table()
	for i := range h.routes {
		h.routes[i].action = ""
		h.register(&h.routes[i])
	}
	return h
}

// Every route refuses query parameters that it does not have, and names the
// nearest that it has; the turns and instances dialects pass over them.
func TestQueryNamesOfEveryRouteAreKnown(t *testing.T) {
	t.Parallel()
	seen := newNamesSeen()
	for i := range seen.h.routes {
		r := &seen.h.routes[i]
		dialect := r.tag == "turns" || r.tag == "instances"
		if r.anyQuery != dialect {
			t.Errorf("%s: passes over unknown parameters: %t", r.id, r.anyQuery)
		}
		target := placeholder.ReplaceAllString(r.path, "x")
		for query, refused := range map[string]bool{"": false, "unheard_of=1": true, "=": true, "UNHEARD": true} {
			if code := seen.visit(t, r.method, target+"?"+query); (code == http.StatusBadRequest) != (refused && !dialect) {
				t.Errorf("%s?%s: %d", r.id, query, code)
			}
		}
		for _, p := range r.query {
			if code := seen.visit(t, r.method, target+"?"+p.name+"=1"); code != http.StatusNoContent {
				t.Errorf("%s: its own %s is refused: %d", r.id, p.name, code)
			}
			if code := seen.visit(t, r.method, target+"?"+p.name+"=1&"+p.name+"=1"); (code == http.StatusBadRequest) == dialect {
				t.Errorf("%s: %s twice: %d", r.id, p.name, code)
			}
			if code := seen.visit(t, r.method, target+"?"+strings.ToUpper(p.name)+"=1"); (code == http.StatusBadRequest) == dialect {
				t.Errorf("%s: %s in capitals: %d", r.id, p.name, code)
			}
		}
	}
}

func TestAnUnknownQueryParameterIsToldTheNearest(t *testing.T) {
	t.Parallel()
	seen := newNamesSeen()
	for target, says := range map[string]string{
		"/api/workflows?limt=5":              `did you mean \"limit\"?`,
		"/api/workflows?Status=draft":        `did you mean \"status\"?`,
		"/api/workflows/x/diff?v3=1":         `Known are: v1, v2`,
		"/api/workflows?page=2":              `Known are: status, trigger_type`,
		"/healthz?verbose=1":                 `this request has none`,
		"/api/workflows?%00=1":               `Unknown query parameter`,
		"/api/workflows/x/runs?workflow_id=": `remove it`,
	} {
		req := httptest.NewRequestWithContext(context.Background(), http.MethodGet, target, http.NoBody)
		w := httptest.NewRecorder()
		seen.h.ServeHTTP(w, req)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), says) {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}
