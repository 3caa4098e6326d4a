package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// describe writes the OpenAPI 3.1 document of a table of routes.
func describe(routes []route, version string) []byte {
	s := &schemas{components: dict{}}
	problem := s.of(reflect.TypeFor[problemBody]())
	s.nameCodes()
	paths := dict{}
	for i := range routes {
		r := &routes[i]
		item, ok := paths[r.path].(dict)
		if !ok {
			item = dict{}
			paths[r.path] = item
		}
		item[strings.ToLower(r.method)] = s.operation(r, problem)
	}
	doc := dict{
		"openapi": "3.1.0",
		"info": dict{
			"title": productName, "version": version,
			"description": "Durable workflow definitions and runs. Every error has the same envelope, with a stable code; " +
				"unknown query parameters and unknown fields of a body are refused, except where a dialect's clients send them.",
		},
		"servers":  []any{dict{"url": "/", "description": "This server."}},
		"tags":     tagsOf(routes),
		"paths":    paths,
		"security": []any{dict{"key": []string{}}},
		"components": dict{
			"schemas":         s.components,
			"securitySchemes": dict{"key": dict{"type": "http", "scheme": "bearer", "description": "An API key: iw_live_ and 36 letters and digits."}},
		},
	}
	text, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		panic("the OpenAPI document is no JSON: " + err.Error()) // only the table can be at fault
	}
	return append(text, '\n')
}

// tagsOf lists the tags of the operations, each once, in the table's order.
func tagsOf(routes []route) []any {
	about := map[string]string{
		"v1": "The runs dialect.", "turns": "The turns dialect.", "instances": "The instances dialect.", "workflows": "Definitions, versions and their runs.",
	}
	var tags []any
	seen := map[string]bool{}
	for _, r := range routes {
		if seen[r.tag] {
			continue
		}
		seen[r.tag] = true
		description := about[r.tag]
		if description == "" {
			description = "Operations on " + r.tag + "."
		}
		tags = append(tags, dict{"name": r.tag, "description": description})
	}
	return tags
}

// about describes an operation: what it does, and what its key must be allowed.
func (r *route) about() string {
	text := strings.TrimSuffix(r.summary, ".") + "."
	if r.action == "" {
		return text + " Needs no key."
	}
	return text + " Needs the action " + string(r.action) + "."
}

// nameCodes lists every code in the envelope's schema.
func (s *schemas) nameCodes() {
	var names []string
	var about strings.Builder
	for _, c := range errorCodes() {
		names = append(names, c.code)
		about.WriteString("- `" + c.code + "` (" + strconv.Itoa(c.status) + "): " + c.about + "\n")
	}
	for _, name := range []string{"ProblemBody", "ProblemError"} {
		code := s.components[name].(dict)["properties"].(dict)["code"].(dict)
		code["enum"] = names
		code["description"] = about.String()
	}
}

func (s *schemas) operation(r *route, problem dict) dict {
	op := dict{"operationId": r.id, "summary": r.summary, "description": r.about(), "tags": []string{r.tag}, "responses": s.responses(r, problem)}
	if params := parameters(r); len(params) > 0 {
		op["parameters"] = params
	}
	if r.action == "" {
		op["security"] = []any{}
	} else {
		op["x-action"] = string(r.action)
	}
	if r.request == nil {
		return op
	}
	schema := s.of(r.request)
	content := dict{"application/json": dict{"schema": schema}}
	if r.body == definitionBody {
		content["application/yaml"] = dict{"schema": schema}
	}
	if r.body == linesBody {
		content = dict{ndjson: dict{"schema": schema}}
	}
	op["requestBody"] = dict{"required": r.body != optionalBody, "content": content}
	return op
}

func parameters(r *route) []any {
	var list []any
	for part := range strings.SplitSeq(r.path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			list = append(list, dict{"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": dict{"type": "string"}})
		}
	}
	for _, p := range r.query {
		schema := dict{"type": "string"}
		if p.kind != "" {
			schema["type"] = p.kind
		}
		if p.enum != nil {
			schema["enum"] = p.enum
		}
		list = append(list, dict{"name": p.name, "in": "query", "required": p.required, "description": p.about, "schema": schema})
	}
	for _, name := range headerParams(r) {
		list = append(list, dict{"name": name, "in": "header", "schema": dict{"type": "string"}})
	}
	return list
}

func headerParams(r *route) []string {
	var names []string
	if r.conditional {
		names = append(names, "If-Match")
	}
	if r.tagged() && r.method == http.MethodGet {
		names = append(names, "If-None-Match")
	}
	if slices.ContainsFunc(r.answers, func(a answer) bool { return a.status == http.StatusPartialContent }) {
		names = append(names, "Range", "If-Range")
	}
	if r.idempotent {
		names = append(names, headerKey)
	}
	if r.streams() {
		names = append(names, "Last-Event-ID")
	}
	return names
}

func (r *route) tagged() bool {
	return slices.ContainsFunc(r.answers, func(a answer) bool { return slices.Contains(a.headers, "ETag") })
}

func (r *route) streams() bool {
	return slices.ContainsFunc(r.answers, func(a answer) bool { return a.media == "text/event-stream" })
}

func (s *schemas) responses(r *route, problem dict) dict {
	out := dict{}
	for _, a := range r.answers {
		out[strconv.Itoa(a.status)] = s.success(r, a)
	}
	if r.tagged() && r.method == http.MethodGet {
		out["304"] = dict{"description": "If-None-Match names the current revision."}
	}
	wanted := append(commonCodes(r), r.codes...)
	byStatus := map[int][]string{}
	for _, c := range errorCodes() {
		if slices.Contains(wanted, c.code) {
			byStatus[c.status] = append(byStatus[c.status], c.code)
		}
	}
	for status, codes := range byStatus {
		sort.Strings(codes)
		out[strconv.Itoa(status)] = dict{
			"description": strings.Join(codes, ", "),
			"content":     dict{"application/json": dict{"schema": problem}},
		}
	}
	return out
}

func (s *schemas) success(r *route, a answer) dict {
	about := a.about
	if about == "" {
		about = r.summary
	}
	response := dict{"description": about}
	headers := dict{}
	for _, name := range a.headers {
		headers[name] = dict{"schema": dict{"type": "string"}}
	}
	if r.idempotent {
		headers[headerReplayed] = dict{"schema": dict{"type": "string"}, "description": "true when this is the answer kept for the Idempotency-Key."}
	}
	if len(headers) > 0 {
		response["headers"] = headers
	}
	if a.body != nil {
		media := a.media
		if media == "" {
			media = "application/json"
		}
		schema := s.of(reflect.TypeOf(a.body))
		if a.or != nil {
			schema = dict{"anyOf": []any{schema, s.of(reflect.TypeOf(a.or))}}
		}
		response["content"] = dict{media: dict{"schema": schema}}
	}
	return response
}
