package steps

import (
	"bytes"
	"context"
	"encoding/json"
	"heddle/definitions"
	"heddle/executor"
	"heddle/fault"
	"heddle/internal/exactjson"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// httpConfig is the config of http_request after rendering. At most one of Body, Form,
// Raw and Multipart may be given. nil for FollowRedirects and an empty ExpectStatus
// stand for the defaults, which are true and 200-399.
type httpConfig struct {
	Method          string                 `json:"method,omitempty" enum:"GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS" default:"GET" doc:"The request's method."`
	URL             string                 `json:"url" minLength:"1" doc:"Where to, http or https."`
	Headers         map[string]printed     `json:"headers,omitempty" doc:"Headers to send."`
	Query           map[string]printedList `json:"query,omitempty" doc:"Added to the url's own query; a list repeats the name."`
	Body            json.RawMessage        `json:"body,omitempty" doc:"Any JSON, sent as application/json."`
	Form            map[string]printedList `json:"form,omitempty" doc:"Sent as application/x-www-form-urlencoded, instead of body."`
	Raw             *rawBody               `json:"raw,omitempty" doc:"Text, or {\"$base64\": …} for bytes, sent as it is, instead of body."`
	Multipart       []formPart             `json:"multipart,omitempty" minItems:"1" doc:"Sent as multipart/form-data, instead of body."`
	Auth            *httpAuth              `json:"auth,omitempty" doc:"Credentials, from a secret."`
	TLS             *tlsConfig             `json:"tls,omitempty" doc:"A private authority, a client certificate, another name."`
	ExpectStatus    expectation            `json:"expect_status,omitempty" doc:"The status codes that are a success: a number, a range such as \"200-204\", or a list of both. Default 200-399."`
	FollowRedirects *bool                  `json:"follow_redirects,omitempty" default:"true" doc:"Follow up to 5 redirects."`
	Response        string                 `json:"response,omitempty" enum:"auto,json,text" default:"auto" doc:"How to read the body: auto reads JSON where the server says so."`
}

// httpAuth says which credentials a request carries. Type decides which of the other
// fields are used (fieldsOfAuth).
type httpAuth struct {
	Type     string  `json:"type" enum:"bearer,basic,header"`
	Token    printed `json:"token,omitempty" doc:"For bearer."`
	Username printed `json:"username,omitempty" doc:"For basic."`
	Password printed `json:"password,omitempty" doc:"For basic."`
	Name     string  `json:"name,omitempty" doc:"For header: which, such as X-Api-Key."`
	Value    printed `json:"value,omitempty" doc:"For header."`
}

// rawBody is a body that is sent byte for byte: written as text, or as {"$base64": …}.
type rawBody struct{ data []byte }

// UnmarshalJSON reads either form. An object without $base64, or any other JSON value,
// is taken as its JSON text. An object with a $base64 that is not base64 is an error: it
// was meant to be bytes.
func (b *rawBody) UnmarshalJSON(raw []byte) error {
	data, binary, err := readBase64(raw)
	if err != nil || binary {
		b.data = data
		return err
	}
	text, err := printValue(raw)
	b.data = []byte(text)
	return err
}

// jsonSchema makes rawBody a schemaSource.
func (rawBody) jsonSchema() map[string]any {
	return map[string]any{"anyOf": []map[string]any{{"type": "string"}, {"type": "object"}}}
}

// httpRequestType returns the type http_request: one request and its answer.
func httpRequestType(c *client) *stepType {
	return &stepType{
		name:   "http_request",
		config: schemaOf[httpConfig](),
		output: httpOutput,
		check:  checkHTTP,
		traits: definitions.Traits{SendsTrace: true, Reports: definitions.ReportsStatus, Docs: "http_request"},
		run: withConfig(func(ctx context.Context, call executor.Call, cfg *httpConfig) (executor.Result, error) {
			return runHTTP(ctx, c, call, cfg)
		}),
	}
}

// httpOutput returns the JSON Schema of the output. The body's type is known only where
// the config fixes how it is read, without a template. set-cookie is the one header that
// may be a list (flatHeaders).
func httpOutput(config json.RawMessage) json.RawMessage {
	body := "{}"
	if c, ok := readFields(config); ok {
		if how, _ := c.literal("response"); how == "text" {
			body = `{"type":["string","object"]}`
		}
	}
	return json.RawMessage(`{"type":"object","required":["status_code","headers","body"],"additionalProperties":false,"properties":{` +
		`"status_code":{"type":"integer"},"headers":{"type":"object","additionalProperties":{"type":"string"},"properties":{"set-cookie":{"type":["string","array"],"items":{"type":"string"}}}},"body":` + body + `}}`)
}

// runHTTP sends one request and returns status, headers and body as one JSON object of
// at most maxBody bytes. Its failures are permanent where the same request would fail
// again: a bad config, an address that is off limits, a status below 500 other than 408
// and 429.
func runHTTP(ctx context.Context, c *client, call executor.Call, cfg *httpConfig) (executor.Result, error) {
	req, err := cfg.request(ctx)
	if err != nil {
		return executor.Result{}, err
	}
	setRequestHeaders(req.Header, call)
	via, err := c.roundTripper(req.URL, cfg.TLS)
	if err != nil {
		return executor.Result{}, err
	}
	got, err := c.send(req, via, cfg.FollowRedirects == nil || *cfg.FollowRedirects, call.ReserveMemory)
	if err != nil {
		return executor.Result{}, err
	}
	if !cfg.ExpectStatus.accepts(got.status) {
		return executor.Result{}, unexpected(c, call, got, cfg.ExpectStatus)
	}
	body, err := cfg.read(call, got)
	if err != nil {
		return executor.Result{}, err
	}
	out := object("status_code", got.status, "headers", flatHeaders(got.header), "body", body)
	if len(out) > maxBody {
		return executor.Result{}, permanent("output_too_large", "The step's output is larger than %d MiB.", maxBody>>20)
	}
	return executor.Result{Output: out}, nil
}

// request builds one attempt's request, headers and credentials included. Every attempt
// with the same config sends the same bytes. Its errors are the permanent failures
// invalid_url and invalid_config. What validation found already is checked again,
// because a template may have produced it.
func (cfg *httpConfig) request(ctx context.Context) (*http.Request, error) {
	target, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	addQuery(target, cfg.Query)
	body, contentType, err := cfg.body()
	if err != nil {
		return nil, err
	}
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	method := strings.ToUpper(cfg.Method)
	if method == "" {
		method = http.MethodGet
	}
	if !knownMethod(method) {
		return nil, permanent("invalid_config", "method must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS.")
	}
	req, err := http.NewRequestWithContext(ctx, method, target.String(), reader)
	if err != nil {
		return nil, permanent("invalid_url", "The url is not valid.")
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	own, err := setHeaders(req.Header, cfg.Headers)
	if err != nil {
		return nil, err
	}
	// Two values of one header: either choice could be the wrong one.
	if name := cfg.Auth.header(); name != "" && own[name] {
		return nil, permanent("invalid_config", "auth sets the header %s, and headers has it too: keep one of them.", name)
	}
	if cfg.Multipart != nil && own["Content-Type"] {
		return nil, permanent("invalid_config", "multipart sets Content-Type itself, with the boundary of its parts; leave that header out.")
	}
	return req, cfg.Auth.set(req)
}

// knownMethod reports whether a method is one that the config's schema lists. A template
// may produce another, which validation cannot see. Methods are in upper case.
func knownMethod(m string) bool {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return true
	default:
		return false
	}
}

// addQuery appends parameters to the query that the url has already, and changes u. The
// url's own part keeps its order and its escapes.
func addQuery(u *url.URL, query map[string]printedList) {
	if extra := formEncoded(query); extra != "" {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += extra
	}
}

// formEncoded returns parameters as application/x-www-form-urlencoded, sorted by name,
// so that every attempt sends the same bytes. "" for none.
func formEncoded(from map[string]printedList) string {
	values := make(url.Values, len(from))
	for name, list := range from {
		for _, v := range list {
			values.Add(name, string(v))
		}
	}
	return values.Encode()
}

// body returns the bytes to send and their media type; nil and "" for none. More than
// one kind of body is the permanent failure invalid_config. The bytes may be the
// config's own and are not to be changed.
func (cfg *httpConfig) body() (body []byte, contentType string, err error) {
	given := 0
	if cfg.Body != nil {
		given++
		body, contentType = cfg.Body, "application/json"
	}
	if cfg.Form != nil {
		given++
		body, contentType = []byte(formEncoded(cfg.Form)), "application/x-www-form-urlencoded"
	}
	if cfg.Raw != nil {
		given++
		body, contentType = cfg.Raw.data, "text/plain; charset=utf-8"
	}
	if cfg.Multipart != nil {
		given++
		body, contentType, err = multipartBody(cfg.Multipart)
	}
	if given > 1 {
		return nil, "", permanent("invalid_config", "body, form, raw and multipart exclude each other: keep one of them.")
	}
	return body, contentType, err
}

// unexpected returns the failure of a status that is not a success (unexpected_status).
// It is permanent unless the status may change by itself (transientStatus), quotes the
// beginning of the body without secrets in its details, and carries the delay that
// Retry-After asks for.
func unexpected(c *client, call executor.Call, got answer, want expectation) error {
	details := map[string]any{"status_code": got.status}
	if text := excerpt(call, got.body, 2048); text != "" {
		details["body"] = text
	}
	// The status is the server's own word and no value from outside, so it is not masked.
	f := failure("unexpected_status", !transientStatus(got.status), details,
		"The server answered %s; expected %s.", ownText(statusText(got.status)), want)
	return after(f, retryAfter(got.header, c.now())).Err()
}

// statusText returns a status as "404 Not Found", or the number alone where the status
// has no name.
func statusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// asText returns the body as a JSON string, or as {"$base64": …} where it is not text
// (textValue). One that would be larger than maxBody is the permanent failure
// output_too_large: escapes may make it six times as long, so the size is counted before
// memory is taken for it.
func (got answer) asText() (json.RawMessage, error) {
	if textSize(got.body) > maxBody {
		return nil, permanent("output_too_large", "The step's output is larger than %d MiB.", maxBody>>20)
	}
	return textValue(got.body), nil
}

// blank reports whether a body holds at most white space and a byte order mark.
func blank(body []byte) bool {
	return len(bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))) == 0
}

// notJSON returns the permanent failure response_not_json of a body that had to be JSON.
// Where the body is still encoded it says so, since that is what the author can change;
// otherwise it quotes the beginning.
func (got answer) notJSON(call executor.Call) error {
	details := map[string]any{"status_code": got.status}
	// Such a body is binary; its beginning would tell the author nothing.
	if coding := got.header.Get("Content-Encoding"); coding != "" && !identity(got.header) {
		coding = excerpt(call, []byte(coding), 64)
		return failure("response_not_json", true, details, "The response is encoded with %s, which is not undone (gzip and deflate are); ask for another with the header Accept-Encoding.", coding).Err()
	}
	if text := excerpt(call, got.body, 2048); text != "" {
		details["body"] = text
	}
	return failure("response_not_json", true, details, "The response is not JSON that a step can take (valid, UTF-8, without NUL, nested at most %d deep).", exactjson.MaxDepth).Err()
}

// read returns the body as JSON, read as config.response asks. "text" is always a
// string. "json" fails with response_not_json where the body is not JSON. "auto", the
// default, reads JSON where the Content-Type says so and falls back to text, so that a
// mislabelled body fails no step. An empty body is null, except for "text".
func (cfg *httpConfig) read(call executor.Call, got answer) (json.RawMessage, error) {
	switch cfg.Response {
	case "text":
		return got.asText()
	case "json":
		if blank(got.body) {
			return json.RawMessage("null"), nil
		}
		v, ok := jsonValue(got.body)
		if !ok {
			return nil, got.notJSON(call)
		}
		return v, nil
	case "", "auto":
	default:
		return nil, permanent("invalid_config", "response must be auto, json or text.")
	}
	if len(got.body) == 0 {
		return json.RawMessage("null"), nil
	}
	if isJSON(got.header.Get("Content-Type")) {
		if blank(got.body) {
			return json.RawMessage("null"), nil
		}
		if v, ok := jsonValue(got.body); ok {
			return v, nil
		}
	}
	return got.asText()
}

// isJSON reports whether a Content-Type names JSON: application/json, text/json or a
// type with the suffix +json (RFC 6839).
func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json") || media == "text/json")
}

// flatHeaders returns headers by lower-case name, several values joined by commas (RFC
// 9110, 5.3). Several of Set-Cookie, whose values hold commas, are a list. Bytes that
// are not UTF-8 are read as ISO-8859-1, as HTTP/1.1 once specified. It changes the
// values of h, which the caller owns.
func flatHeaders(h http.Header) map[string]any {
	flat := make(map[string]any, len(h))
	for name, values := range h {
		for i, v := range values {
			if !utf8.ValidString(v) {
				values[i], _ = charmap.ISO8859_1.NewDecoder().String(v) // every byte is a character
			}
		}
		// RFC 9110, 5.3: it is the one field whose values cannot be joined by commas.
		if name == "Set-Cookie" && len(values) > 1 {
			flat["set-cookie"] = values
			continue
		}
		flat[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return flat
}

// checkHTTP returns the diagnostics of a config before rendering that its schema cannot
// express.
func checkHTTP(c fields) []fault.Issue {
	out := checkURL(c)
	if n := given(c, "body", "form", "raw", "multipart"); len(n) > 1 {
		out = append(out, problem("invalid_value", "/"+n[1], "%s exclude each other: keep one of them", andList(n)))
	}
	if _, _, err := readBase64(c["raw"]); err != nil && !templated(string(c["raw"])) {
		out = append(out, problem("invalid_value", "/raw/$base64", "%s", err))
	}
	out = append(out, checkExpect(c["expect_status"])...)
	out = append(out, checkAuth(c["auth"])...)
	out = append(out, checkTLS(c)...)
	out = append(out, hintBody(c)...)
	out = append(out, checkHeaders(c["headers"])...)
	return append(out, checkOverlaps(c)...)
}

// given returns those of the names that the config has, in the order of names. A field
// that is null counts.
func given(c fields, names ...string) []string {
	var found []string
	for _, n := range names {
		if _, ok := c[n]; ok {
			found = append(found, n)
		}
	}
	return found
}

// checkURL checks the part of the url before its first template: the scheme, and the
// whole url where it holds no template. A url that begins with a template passes;
// parseURL and Guard.CheckURL judge it when it is rendered.
func checkURL(c fields) []fault.Issue {
	text, ok := c.text("url")
	if !ok || strings.HasPrefix(strings.TrimSpace(text), "{{") {
		return nil
	}
	// Only the text before the first template is certain.
	fixed, _, cut := strings.Cut(strings.TrimSpace(text), "{{")
	scheme, rest, found := strings.Cut(fixed, "://")
	if lower := strings.ToLower(scheme); !found || lower != "http" && lower != "https" {
		return []fault.Issue{problem("invalid_value", "/url", "url must begin with http:// or https://")}
	}
	if holdsLineBreak(outsideTemplates(strings.TrimSpace(text))) {
		return []fault.Issue{problem("invalid_value", "/url", "url holds a line break; an address is one line")}
	}
	if cut {
		return nil
	}
	u, err := parseURL(text)
	switch {
	case err != nil || u.Hostname() == "" || rest == "":
		return []fault.Issue{problem("invalid_value", "/url", "url is not a valid address")}
	case u.User != nil:
		return []fault.Issue{problem("invalid_value", "/url", "url must not hold a user name or password; use auth")}
	}
	return nil
}

// checkExpect returns the diagnostics of expect_status; none where it is absent or holds
// a template.
func checkExpect(raw json.RawMessage) []fault.Issue {
	if len(raw) == 0 || templated(string(raw)) {
		return nil
	}
	var e expectation
	if err := json.Unmarshal(raw, &e); err != nil {
		return []fault.Issue{problem("invalid_value", "/expect_status", "%s", err)}
	}
	return nil
}
