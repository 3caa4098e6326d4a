package api

import (
	"context"
	"encoding/json"
	"heddle/api/core"
	"heddle/executor"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// bodiesWith writes, for every object that a request of type t may hold, a body
// in which that object is what inner makes of its field names.
func bodiesWith(t reflect.Type, inner func(names []string) []string) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) || t == reflect.TypeFor[core.ParsedDefinition]() {
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
		fields, names := core.FieldsOf(t)
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
// ignores it.
func TestFieldNamesOfEveryRouteAreExact(t *testing.T) {
	t.Parallel()
	h := tableWithoutServices(nil)
	deep := 0
	for i := range h.routes {
		r := &h.routes[i]
		if r.Request == nil || r.Body == core.BodyLines { // whose lines package versions reads
			continue
		}
		bodies := bodiesWith(r.Request, func(names []string) (list []string) {
			for _, name := range names {
				for _, other := range []string{strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:]} {
					if !slices.Contains(names, other) {
						list = append(list, `{"`+other+`":null}`, `{"`+name+`":null,"`+other+`":null}`)
					}
				}
				list = append(list, `{"`+name+`":null,"`+name+`":null}`, `{"\u00`+hex2(name[0])+name[1:]+`":null,"`+name+`":null}`)
			}
			if !r.Tolerant {
				list = append(list, `{"unheard_of":null}`)
			}
			return list
		})
		for _, body := range bodies {
			if strings.Count(body, "{") > 1 {
				deep++
			}
			req := httptest.NewRequestWithContext(context.Background(), r.Method, placeholder.ReplaceAllString(r.Path, "x"), strings.NewReader(body))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			if w.Code != http.StatusBadRequest {
				t.Errorf("%s takes %s: %d", r.ID, body, w.Code)
			}
		}
	}
	if deep < 20 {
		t.Errorf("only %d bodies had objects within objects", deep)
	}
}

func hex2(b byte) string { return string("0123456789abcdef"[b>>4]) + string("0123456789abcdef"[b&15]) }

// served is a table of routes and the server that has completed it.
type served struct {
	*core.Server
	routes []core.Route
}

// tableWithoutServices serves the whole table to any caller, as change left each
// route; a request that gets as far as a service fails with 500.
func tableWithoutServices(change func(*core.Route)) served {
	cfg := Config{Services: Services{Executor: &executor.Service{}}, NewID: func(p string) string { return p + "x" }}
	routes := routesOf(cfg, &site{}, nil)
	for i := range routes {
		routes[i].Action = ""
		if change != nil {
			change(&routes[i])
		}
	}
	return served{core.New(core.Config{Executor: cfg.Executor, NewID: cfg.NewID}, routes), routes}
}

// Every route refuses query parameters that it does not have, and names the
// nearest that it has; the turns and instances dialects ignore them.
func TestQueryNamesOfEveryRouteAreKnown(t *testing.T) {
	t.Parallel()
	seen := newNamesSeen()
	for i := range seen.h.routes {
		r := &seen.h.routes[i]
		dialect := r.Tag == "turns" || r.Tag == "instances" || r.ID == "completeSignIn" // the provider may add its own
		if r.AnyQuery != dialect {
			t.Errorf("%s: passes over unknown parameters: %t", r.ID, r.AnyQuery)
		}
		target := placeholder.ReplaceAllString(r.Path, "x")
		for query, refused := range map[string]bool{"": false, "unheard_of=1": true, "=": true, "UNHEARD": true} {
			if code := seen.visit(t, r.Method, target+"?"+query); (code == http.StatusBadRequest) != (refused && !dialect) {
				t.Errorf("%s?%s: %d", r.ID, query, code)
			}
		}
		for _, p := range r.Query {
			if code := seen.visit(t, r.Method, target+"?"+p.Name+"=1"); code != http.StatusNoContent {
				t.Errorf("%s: its own %s is refused: %d", r.ID, p.Name, code)
			}
			if code := seen.visit(t, r.Method, target+"?"+p.Name+"=1&"+p.Name+"=1"); (code == http.StatusBadRequest) == (dialect || p.Repeatable) {
				t.Errorf("%s: %s twice: %d", r.ID, p.Name, code)
			}
			if code := seen.visit(t, r.Method, target+"?"+strings.ToUpper(p.Name)+"=1"); (code == http.StatusBadRequest) == dialect {
				t.Errorf("%s: %s in capitals: %d", r.ID, p.Name, code)
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
