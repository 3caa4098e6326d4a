package api

import (
	"bytes"
	"encoding/json"
	"heddle/idempotency"
	"net/http"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// versionMark stands for the version in the document that is made once.
const versionMark = "the version of this server"

// documentOnce is made once in a process: it does not depend on a handler.
var documentOnce = sync.OnceValue(func() []byte { return describe((&Handler{}).table(), versionMark) })

// document is the OpenAPI document of a server of that version.
func document(version string) []byte {
	quoted, err := json.Marshal(version)
	if err != nil {
		panic("a version is no text: " + err.Error()) // a string always encodes
	}
	return bytes.Replace(documentOnce(), []byte(`"`+versionMark+`"`), quoted, 1)
}

// describe writes the OpenAPI 3.1 document of a table of routes.
func describe(routes []route, version string) []byte {
	s := newSchemas()
	problem := s.Of(reflect.TypeFor[problemBody]())
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
				"unknown query parameters and unknown fields of a body are refused, except where a dialect's clients send them. " +
				"Where a request fits two paths, the one with a fixed segment in the place of a parameter is meant.",
			"contact": dict{"name": "Whoever operates this server"},
			"license": dict{"name": "Apache License 2.0", "identifier": "Apache-2.0"},
		},
		"servers":  []any{dict{"url": "/", "description": "This server."}},
		"tags":     tagsOf(routes),
		"paths":    paths,
		"security": []any{dict{"key": []string{}}},
		"components": dict{
			"schemas":         s.Components,
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

// description describes an operation: what it does, and what its key must be allowed.
func (r *route) description() string {
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
		about.WriteString("- `" + c.code + "` (" + strconv.Itoa(c.status) + "): " + c.description + "\n")
	}
	for _, name := range []string{"ProblemBody", "ProblemError"} {
		code := s.Components[name].(dict)["properties"].(dict)["code"].(dict)
		code["enum"] = names
		code["description"] = about.String()
	}
}

func (s *schemas) operation(r *route, problem dict) dict {
	op := dict{"operationId": r.id, "summary": r.summary, "description": r.description(), "tags": []string{r.tag}, "responses": s.responses(r, problem)}
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
	schema := s.Of(r.request)
	shown := s.content(schema, s.examples[r.id].Request)
	content := dict{"application/json": shown}
	if r.body == bodyDefinition {
		content["application/yaml"] = dict{"schema": schema}
	}
	if r.body == bodyLines {
		content = dict{ndjson: shown}
	}
	op["requestBody"] = dict{"required": r.body != bodyOptional, "content": content}
	return op
}

func parameters(r *route) []any {
	var list []any
	for part := range strings.SplitSeq(r.path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			list = append(list, dict{
				"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true,
				"description": pathDescription(r.path, part), "schema": dict{"type": "string"},
			})
		}
	}
	for _, p := range r.query {
		schema := dict{"type": "string"}
		if p.jsonType != "" {
			schema["type"] = p.jsonType
		}
		if p.enum != nil {
			schema["enum"] = p.enum
		}
		list = append(list, dict{"name": p.name, "in": "query", "required": p.required, "description": p.description, "schema": schema})
	}
	for _, name := range headerParams(r) {
		list = append(list, dict{"name": name, "in": "header", "description": headerDescription(name), "schema": dict{"type": "string"}})
	}
	return list
}

// pathDescription describes a parameter of a path, by its name and, where several
// kinds of things are called id, by the segment before it.
func pathDescription(path, part string) string {
	before, _, _ := strings.Cut(path, "/"+part)
	switch collection := before[strings.LastIndex(before, "/")+1:]; part + " of " + collection {
	case "{id} of schedules":
		return "The schedule's id."
	case "{id} of templates":
		return "The template's id."
	}
	return map[string]string{
		"{id}":          "The workflow's id or slug.",
		"{run_id}":      "The run's id.",
		"{instance_id}": "The instance's id.",
		"{step_id}":     "The step's id in the definition.",
		"{version}":     "The version's number, such as 3 or v3, or its label.",
		"{blob_id}":     "The id of the value, as the run names it.",
		"{agent_id}":    "The agent's id.",
		"{key_id}":      "The key's id, not the key itself.",
		"{tenant}":      "The tenant's id or slug.",
		"{secret}":      "The secret's name.",
		"{name}":        "The signal's name.",
	}[part]
}

// headerDescription describes a header of a request.
func headerDescription(name string) string {
	return map[string]string{
		"If-Match":      "The ETag of the revision that is to be changed; of any other, 412.",
		"If-None-Match": "ETags that the caller has; for the current one, 304.",
		"Range":         "The bytes that are wanted, such as bytes=0-1023.",
		"If-Range":      "The ETag for which Range holds; of any other, the whole is sent.",
		headerKey: "1 to " + strconv.Itoa(idempotency.MaxKey) + " printable ASCII characters; a repetition with the same key and body " +
			"gets the answer of the first request.",
		"Last-Event-ID": "The id of the last event that the client has; what comes after it is sent.",
	}[name]
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
	about := a.description
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
		schema := s.Of(reflect.TypeOf(a.body))
		if a.or != nil {
			schema = dict{"anyOf": []any{schema, s.Of(reflect.TypeOf(a.or))}}
		}
		response["content"] = dict{media: s.content(schema, s.examples[r.id].Answers[strconv.Itoa(a.status)])}
	}
	return response
}
