package api

import "net/http"

// anyObject stands for a body that another standard describes.
type anyObject struct{}

// The shapes of success that routes share.

func ok(body any) []answer { return []answer{{status: http.StatusOK, body: body}} }

func created(body any) []answer { return []answer{{status: http.StatusCreated, body: body}} }

func accepted(body any) []answer { return []answer{{status: http.StatusAccepted, body: body}} }

func noContent() []answer { return []answer{{status: http.StatusNoContent, description: "Done."}} }

// tagged is a success with an ETag; a GET also answers 304.
func tagged(body any) []answer {
	return []answer{{status: http.StatusOK, body: body, headers: []string{"ETag"}}}
}

func htmlPage() []answer {
	return []answer{{status: http.StatusOK, body: "", media: "text/html", description: "A page for people."}}
}

// paging is what lists with a total take.
func paging() []param {
	return append([]param{
		{name: "offset", jsonType: "integer", description: "How many to leave out; excludes cursor. From 0."},
	}, cursorPaging()...)
}

func cursorPaging() []param {
	return []param{
		{name: "limit", jsonType: "integer", description: "From 1 to 200; 50 without it."},
		{name: "cursor", description: "The next_cursor of the page before."},
	}
}
