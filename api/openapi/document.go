// Package openapi describes a table of routes as an OpenAPI 3.1 document: its
// operations, the JSON Schemas of their bodies, made of the Go types, and one
// example of each. It knows the routes' data and no dialect.
//
// Nothing is described by hand that the code says already: parameters, bodies, successes and
// headers come from core.Route, the codes of errors from Codes and from what a route is by its
// nature (CommonCodes), examples from what a test recorded. The same table always makes the
// same bytes, so that a change of the API shows as a change of the document.
package openapi

import (
	"bytes"
	"encoding/json"
	"heddle/api/core"
	"heddle/idempotency"
	"net/http"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// VersionMark stands for the version in the document that is made once. It occurs nowhere else in
// the document.
const VersionMark = "the version of this server"

// WithVersion returns a copy of the document that Describe made for VersionMark, as that of the
// version. The first occurrence is replaced, which is that of info.
func WithVersion(document []byte, version string) []byte {
	// As JSON, so that a version with a quote does not break the document.
	quoted, err := json.Marshal(version)
	if err != nil {
		panic("a version is not text: " + err.Error()) // a string always encodes
	}
	return bytes.Replace(document, []byte(`"`+VersionMark+`"`), quoted, 1)
}

// Describe returns the OpenAPI 3.1 document of a table of routes, indented, with a line break at
// its end. version is the product's. Routes that share a path are operations of one item. It
// panics where the table cannot be described, which only a defect of the product makes it do. The
// caller keeps the result: each call makes all schemas anew.
func Describe(routes []core.Route, version string) []byte {
	s := newSchemas()
	// The envelope's schema is a component before nameCodes completes it.
	problem := s.Of(reflect.TypeFor[core.ProblemBody]())
	s.nameCodes()
	// Paths are in the order of their names when they are written; routes are not sorted.
	paths := dict{}
	for i := range routes {
		r := &routes[i]
		// One path has an operation for each method.
		item, ok := paths[r.Path].(dict)
		if !ok {
			item = dict{}
			paths[r.Path] = item
		}
		item[strings.ToLower(r.Method)] = s.operation(r, problem)
	}
	doc := dict{
		"openapi": "3.1.0",
		"info": dict{
			"title": core.ProductName, "version": version,
			"description": "Durable workflow definitions and runs. Every error has the same envelope, with a stable code; " +
				"unknown query parameters and unknown fields of a body are refused, except where a dialect's clients send them. " +
				"Where a request fits two paths, the one with a fixed segment in the place of a parameter is meant.",
			"contact": dict{"name": "Whoever operates this server"},
			"license": dict{"name": "Apache License 2.0", "identifier": "Apache-2.0"},
		},
		// Relative, so that the document holds wherever the server is reached.
		"servers":  []any{dict{"url": "/", "description": "This server."}},
		"tags":     tagsOf(routes),
		"paths":    paths,
		"security": []any{dict{"key": []string{}}, dict{"session": []string{}}},
		"components": dict{
			"schemas": s.Components,
			"securitySchemes": dict{
				"key": dict{"type": "http", "scheme": "bearer", "description": "An API key: iw_live_ and 36 letters and digits."},
				"session": dict{
					"type": "apiKey", "in": "cookie", "name": "__Host-heddle",
					"description": "A browser's session, of POST /v1/session; over plain HTTP to a loopback address the cookie is called heddle. Where there is an Authorization, the cookie is not read.",
				},
			},
		},
	}
	text, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		panic("the OpenAPI document is not JSON: " + err.Error()) // only the table can be at fault
	}
	return append(text, '\n')
}

// tagsOf returns the tags of the operations, each once, in the table's order.
func tagsOf(routes []core.Route) []any {
	// Tags that are dialects are described; the others are kinds of objects.
	about := map[string]string{
		"v1": "The runs dialect.", "turns": "The turns dialect.", "instances": "The instances dialect.", "workflows": "Definitions, versions and their runs.",
	}
	var tags []any
	// The order of the tags is that in which readers meet them.
	seen := map[string]bool{}
	for _, r := range routes {
		if seen[r.Tag] {
			continue
		}
		seen[r.Tag] = true
		description := about[r.Tag]
		if description == "" {
			description = "Operations on " + r.Tag + "."
		}
		tags = append(tags, dict{"name": r.Tag, "description": description})
	}
	return tags
}

// nameCodes lists every code in the envelope's schema, as an enum and with its status and
// meaning. The envelope must be a component already.
func (s *schemas) nameCodes() {
	var names []string
	var about strings.Builder
	for _, c := range Codes() {
		names = append(names, c.Code)
		about.WriteString("- `" + c.Code + "` (" + strconv.Itoa(c.status) + "): " + c.Description + "\n")
	}
	for _, name := range []string{"ProblemBody", "ProblemError"} {
		// The envelope has the code twice, and so does its schema.
		code := s.Components[name].(dict)["properties"].(dict)["code"].(dict)
		code["enum"] = names
		code["description"] = about.String()
	}
}

// operation returns the description of one route; problem is the schema of the envelope. An
// operation of a key names the action that the key needs in x-action. A route becomes, in short:
//
//	POST /api/workflows/{id}/run → {
//	  operationId: runWorkflow, tags: [runs], x-action: execute,
//	  parameters: [id, Idempotency-Key],
//	  requestBody: {content: {application/json: {schema: {$ref: …/StartRun}, example: …}}},
//	  responses: {202: …, 400: invalid_request, …}
//	}
func (s *schemas) operation(r *core.Route, problem dict) dict {
	op := dict{"operationId": r.ID, "summary": r.Summary, "description": r.Description(), "tags": []string{r.Tag}, "responses": s.responses(r, problem)}
	// An operation without parameters has no list of them.
	if params := parameters(r); len(params) > 0 {
		op["parameters"] = params
	}
	// An empty list overrides the document's default, which needs a key.
	if r.Action == "" {
		op["security"] = []any{}
	} else {
		op["x-action"] = string(r.Action)
	}
	if r.Request == nil {
		return op
	}
	schema := s.Of(r.Request)
	shown := s.content(schema, s.examples[r.ID].Request)
	// YAML is accepted where a definition is, and described by the same schema.
	content := dict{"application/json": shown}
	// The example is JSON and stands with that media type alone.
	if r.Defines() {
		content["application/yaml"] = dict{"schema": schema}
	}
	// The schema is that of a line.
	if r.Body == core.BodyLines {
		content = dict{core.NDJSON: shown}
	}
	op["requestBody"] = dict{"required": !r.Body.Optional(), "content": content}
	return op
}

// parameters returns the route's parameters: of the path, the query and headers, in this order.
func parameters(r *core.Route) []any {
	var list []any
	for part := range strings.SplitSeq(r.Path, "/") {
		// Segments in braces are parameters, all of them required.
		if name, ok := strings.CutPrefix(part, "{"); ok {
			list = append(list, dict{
				"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true,
				"description": pathDescription(r.Path, part), "schema": dict{"type": "string"},
			})
		}
	}
	for _, p := range r.Query {
		schema := dict{"type": "string"}
		if p.JSONType != "" {
			schema["type"] = p.JSONType
		}
		if p.Enum != nil {
			schema["enum"] = p.Enum
		}
		if p.Repeatable {
			schema = dict{"type": "array", "items": schema}
		}
		list = append(list, dict{"name": p.Name, "in": "query", "required": p.Required, "description": p.Description, "schema": schema})
	}
	// Headers that every request may have, such as X-Request-Id, are not listed.
	for _, name := range headerParams(r) {
		list = append(list, dict{"name": name, "in": "header", "description": headerDescription(name), "schema": dict{"type": "string"}})
	}
	return list
}

// pathDescription describes a parameter of a path, by its name and, where several kinds of things
// are called id, by the segment before it. A name that it does not know has the description "".
func pathDescription(path, part string) string {
	// As in /schedules/{id}/slots, where {id} follows schedules.
	before, _, _ := strings.Cut(path, "/"+part)
	// The segment before names the kind of thing.
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
		"{job_id}":      "The job's id.",
		"{draft_id}":    "The draft's id.",
		"{blob_id}":     "The id of the value, as the run names it.",
		"{agent_id}":    "The agent's id.",
		"{user_id}":     "The user's id.",
		"{session_id}":  "The session's id, as the list has it.",
		"{key_id}":      "The key's id, not the key itself.",
		"{tenant}":      "The tenant's id or slug.",
		"{secret}":      "The secret's name.",
		"{name}":        "The signal's name.",
		"{approval_id}": "The approval's id.",
	}[part]
}

// headerDescription describes a header of a request.
func headerDescription(name string) string {
	return map[string]string{
		"If-Match":      "The ETag of the revision that is to be changed; of any other, 412.",
		"If-None-Match": "ETags that the caller has; for the current one, 304.",
		"Range":         "The bytes that are wanted, such as bytes=0-1023.",
		"If-Range":      "The ETag for which Range holds; of any other, the whole is sent.",
		core.HeaderKey: "1 to " + strconv.Itoa(idempotency.MaxKey) + " printable ASCII characters; a repetition with the same key and body " +
			"gets the answer of the first request.",
		"Last-Event-ID": "The id of the last event that the client has; what comes after it is sent.",
	}[name]
}

// headerParams lists the headers that the route honours, by what it is: conditional, tagged, in
// ranges, idempotent, streaming.
func headerParams(r *core.Route) []string {
	var names []string
	if r.Conditional {
		names = append(names, "If-Match")
	}
	if r.Tagged() && r.Method == http.MethodGet {
		names = append(names, "If-None-Match")
	}
	if slices.ContainsFunc(r.Answers, func(a core.Answer) bool { return a.Status == http.StatusPartialContent }) {
		names = append(names, "Range", "If-Range")
	}
	if r.Idempotent {
		names = append(names, core.HeaderKey)
	}
	if r.Streams() {
		names = append(names, "Last-Event-ID")
	}
	return names
}

// responses describes the route's successes, and its errors by status: one response per status,
// whose description lists the codes. A code of the route that Codes does not have is left out; a
// test holds the source's codes against Codes.
func (s *schemas) responses(r *core.Route, problem dict) dict {
	out := dict{}
	for _, a := range r.Answers {
		out[strconv.Itoa(a.Status)] = s.success(r, a)
	}
	if r.Tagged() && r.Method == http.MethodGet {
		out["304"] = dict{"description": "If-None-Match names the current revision."}
	}
	// Order and repetitions do not matter: the loop follows Codes.
	wanted := append(CommonCodes(r), r.Codes...)
	byStatus := map[int][]string{}
	for _, c := range Codes() {
		if slices.Contains(wanted, c.Code) {
			byStatus[c.status] = append(byStatus[c.status], c.Code)
		}
	}
	// The map's order does not show: JSON objects are written by their keys.
	for status, codes := range byStatus {
		sort.Strings(codes)
		out[strconv.Itoa(status)] = dict{
			"description": strings.Join(codes, ", "),
			"content":     dict{"application/json": dict{"schema": problem}},
		}
	}
	return out
}

// success describes one success: its headers, the schema of its body and the recorded example.
func (s *schemas) success(r *core.Route, a core.Answer) dict {
	about := a.Description
	if about == "" {
		about = r.Summary
	}
	response := dict{"description": about}
	// All headers are texts; their meaning stands with the operations in prose.
	headers := dict{}
	for _, name := range a.Headers {
		headers[name] = dict{"schema": dict{"type": "string"}}
	}
	// Only then may an answer be one that was stored.
	if r.Idempotent {
		headers[core.HeaderReplayed] = dict{"schema": dict{"type": "string"}, "description": "true when this is the answer kept for the Idempotency-Key."}
	}
	if len(headers) > 0 {
		response["headers"] = headers
	}
	if a.Body != nil {
		media := a.Media
		if media == "" {
			media = "application/json"
		}
		schema := s.Of(reflect.TypeOf(a.Body))
		// Which of the two it is depends on the request, such as dry_run.
		if a.Or != nil {
			schema = dict{"anyOf": []any{schema, s.Of(reflect.TypeOf(a.Or))}}
		}
		content := dict{media: s.content(schema, s.examples[r.ID].Answers[strconv.Itoa(a.Status)])}
		if a.AlsoText != "" {
			content[a.AlsoText] = dict{"schema": dict{"type": "string"}}
		}
		response["content"] = content
	}
	return response
}
