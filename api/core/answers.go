package core

import (
	"net/http"
)

// AnyObject stands for a body that another standard describes, such as the OpenAPI document
// itself.
type AnyObject struct{}

// OK documents 200 with a body like this zero value.
func OK(body any) []Answer { return []Answer{{Status: http.StatusOK, Body: body}} }

// Created documents 201 with a body like this zero value.
func Created(body any) []Answer { return []Answer{{Status: http.StatusCreated, Body: body}} }

// Accepted documents 202 with a body like this zero value: what was requested is
// stored and takes effect later.
func Accepted(body any) []Answer { return []Answer{{Status: http.StatusAccepted, Body: body}} }

// NoContent documents 204, which has no body.
func NoContent() []Answer { return []Answer{{Status: http.StatusNoContent, Description: "Done."}} }

// Tagged documents 200 with an ETag; of a GET the document adds 304.
func Tagged(body any) []Answer {
	return []Answer{{Status: http.StatusOK, Body: body, Headers: []string{"ETag"}}}
}

// OrYAML documents a 200 that Accept: application/yaml makes the definition alone.
func OrYAML(answers []Answer) []Answer {
	answers[0].AlsoText = yamlMedia
	return answers
}

// HTMLPage documents 200 with a page for people.
func HTMLPage() []Answer {
	return []Answer{{Status: http.StatusOK, Body: "", Media: "text/html", Description: "A page for people."}}
}

// Paging returns the parameters of a list that is paged by offset or cursor and has a total.
func Paging() []Param {
	return append([]Param{
		{Name: "offset", JSONType: "integer", Description: "How many to leave out; excludes cursor. From 0."},
	}, CursorPaging()...)
}

// CursorPaging returns the parameters of a list that is paged by cursor alone and
// has no total.
func CursorPaging() []Param {
	return []Param{
		{Name: "limit", JSONType: "integer", Description: "From 1 to 200; 50 without it."},
		{Name: "cursor", Description: "The next_cursor of the page before."},
	}
}

// StartCodes returns the codes that whatever starts a run may answer, behind more.
func StartCodes(more ...string) []string {
	return append(more, "workflow_not_found", "version_not_found", "workflow_not_runnable", "workflow_changing", "concurrency_limit", "quota_exceeded",
		"concurrency_key", "invalid_input", "secret_in_input", "secret_key_unavailable", "not_ready", "outcome_unknown")
}
