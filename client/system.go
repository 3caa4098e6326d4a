package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
)

// SystemService says how the server is.
type SystemService struct{ c *Client }

// Info returns what the server is, and what the key may do.
func (s *SystemService) Info(ctx context.Context, opts ...CallOption) (*Info, error) {
	r := request{method: http.MethodGet, path: "/v1/info"}
	return call[Info](ctx, s.c, r, opts)
}

// Report returns how the server is, for operators.
func (s *SystemService) Report(ctx context.Context, opts ...CallOption) (*System, error) {
	r := request{method: http.MethodGet, path: "/v1/system"}
	return call[System](ctx, s.c, r, opts)
}

// Ready reports whether the server takes changes; not_ready where it does not.
func (s *SystemService) Ready(ctx context.Context, opts ...CallOption) (*Readiness, error) {
	r := request{method: http.MethodGet, path: "/readyz"}
	return call[Readiness](ctx, s.c, r, opts)
}

// Alive returns nil while the process answers.
func (s *SystemService) Alive(ctx context.Context, opts ...CallOption) error {
	r := request{method: http.MethodGet, path: "/healthz"}
	return s.c.into(ctx, r, opts, nil)
}

// Metrics opens the metrics, in the text format of Prometheus; the caller closes it.
func (s *SystemService) Metrics(ctx context.Context, opts ...CallOption) (io.ReadCloser, error) {
	r := request{method: http.MethodGet, path: "/metrics"}
	return s.c.open(ctx, r, opts)
}

// Document returns the OpenAPI document of the API.
func (s *SystemService) Document(ctx context.Context, opts ...CallOption) (json.RawMessage, error) {
	r := request{method: http.MethodGet, path: "/openapi.json"}
	return s.c.read(ctx, r, opts)
}

// DefinitionSchema returns the JSON Schema of a definition.
func (s *SystemService) DefinitionSchema(ctx context.Context, opts ...CallOption) (json.RawMessage, error) {
	r := request{method: http.MethodGet, path: "/schemas/definition.json"}
	return s.c.read(ctx, r, opts)
}

// Search returns what a person may mean by a few characters.
func (s *SystemService) Search(ctx context.Context, q SearchQuery, opts ...CallOption) ([]SearchHit, error) {
	r := request{method: http.MethodGet, path: "/v1/search", query: queryOf(q)}
	return list[SearchHit](ctx, s.c, r, "hits", opts)
}
