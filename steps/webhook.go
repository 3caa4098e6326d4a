package steps

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"heddle/definitions"
	"heddle/executor"
	"heddle/fault"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// webhookConfig is the config of webhook after rendering. A nil Payload is sent as {}; a
// nil Secret means that the request is not signed. The body of every delivery is
//
//	{"type": "order.paid", "timestamp": "2026-01-02T03:04:05.000Z", "data": {…}}
//
// with the headers Webhook-Id, Webhook-Timestamp and, with a secret, Webhook-Signature.
type webhookConfig struct {
	URL     string             `json:"url" minLength:"1" doc:"The receiver, http or https."`
	Event   string             `json:"event" minLength:"1" doc:"What happened, such as order.paid; sent as type."`
	Payload json.RawMessage    `json:"payload,omitempty" doc:"Any JSON; sent as data."`
	Headers map[string]printed `json:"headers,omitempty" doc:"Further headers."`
	Secret  *printed           `json:"secret,omitempty" doc:"Signs the request as Standard Webhooks say: whsec_ and base64, or any text."`
}

// timeFormat is RFC 3339 with milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// webhookType returns the type webhook: a signed POST as Standard Webhooks describes it.
// A receiver is expected to be unavailable at times, so the type is retried by default.
func webhookType(c *client) *stepType {
	return &stepType{
		name:   "webhook",
		config: schemaOf[webhookConfig](),
		output: constantSchema(json.RawMessage(`{"type":"object","additionalProperties":false,"required":["status_code","attempts","delivered_at","webhook_id"],"properties":{` +
			`"status_code":{"type":"integer"},"attempts":{"type":"integer"},"delivered_at":{"type":"string","format":"date-time"},"webhook_id":{"type":"string"}}}`)),
		check: func(f fields) []fault.Issue {
			out := append(checkURL(f), checkHeaders(f["headers"])...)
			out = append(out, checkOwnHeaders(f["headers"])...)
			return append(out, checkSecret(f)...)
		},
		run: withConfig(func(ctx context.Context, call executor.Call, cfg *webhookConfig) (executor.Result, error) {
			return runWebhook(ctx, c, call, cfg)
		}),
		place:  webhookHost,
		traits: definitions.Traits{DefaultRetry: &definitions.Retry{MaxAttempts: 5}, SendsTrace: true, Reports: definitions.ReportsStatus, Docs: "webhook"},
	}
}

// webhookHost returns the receiver's host and port as "host:port", in canonical form: a
// receiver that never answers must not hold up the webhooks to others. "" where the url
// is not readable, for which the attempt itself fails.
func webhookHost(call executor.Call) string {
	config, ok := readFields(call.Config)
	if !ok {
		return ""
	}
	text, _ := config.text("url")
	target, err := parseURL(text)
	if err != nil {
		return ""
	}
	return canonicalHost(target.Hostname()) + ":" + strconv.Itoa(int(portOf(target)))
}

// runWebhook makes one delivery. A status from 200 to 299 is a success and 410 Gone the
// permanent failure webhook_gone; any other is unexpected_status. The id is the same for
// all attempts of one effect, so that a receiver can tell a repetition from a new event.
func runWebhook(ctx context.Context, c *client, call executor.Call, cfg *webhookConfig) (executor.Result, error) {
	id, sent := webhookID(call.Key), c.now().UTC()
	// The event's time is that of the first attempt: every attempt sends the same body.
	happened := call.Since.UTC()
	if happened.IsZero() {
		happened = sent
	}
	// Redirects are not followed (c.do below): a signed event goes to the url that was
	// configured and nowhere else.
	req, err := cfg.request(ctx, id, happened, sent)
	if err != nil {
		return executor.Result{}, err
	}
	setRequestHeaders(req.Header, call)
	got, err := c.do(req, false, call.ReserveMemory)
	if err != nil {
		return executor.Result{}, err
	}
	switch {
	case got.status >= 200 && got.status <= 299:
	// Standard Webhooks: the receiver asks that deliveries to this url stop.
	case got.status == http.StatusGone:
		return executor.Result{}, failure("webhook_gone", true, map[string]any{"status_code": got.status}, "The receiver answered 410 Gone: it wants no more deliveries at this url.").Err()
	default:
		return executor.Result{}, unexpected(c, call, got, expectation{{200, 299}})
	}
	return executor.Result{Output: object("status_code", got.status, "attempts", call.Attempt,
		"delivered_at", c.now().UTC().Format(timeFormat), "webhook_id", id)}, nil
}

// webhookID returns the id of an effect's deliveries, derived from its idempotency key:
// "msg_" and 24 hexadecimal digits.
func webhookID(key string) string {
	sum := sha256.Sum256([]byte("webhook/" + key))
	return "msg_" + hex.EncodeToString(sum[:12])
}

// request builds one attempt's request. The body is the same for every attempt under the
// id, while Webhook-Timestamp and the signature are the attempt's own: receivers refuse
// old timestamps. happened is the event's time, sent that of the attempt; both are in
// UTC.
func (cfg *webhookConfig) request(ctx context.Context, id string, happened, sent time.Time) (*http.Request, error) {
	target, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	data := cfg.Payload
	if data == nil {
		data = json.RawMessage("{}")
	}
	body := object("type", cfg.Event, "timestamp", happened.Format(timeFormat), "data", data)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, permanent("invalid_url", "The url is not valid.")
	}
	// The author's headers first, so that those of the step replace them.
	if _, err := setHeaders(req.Header, cfg.Headers); err != nil {
		return nil, err
	}
	// Seconds since 1970, as Standard Webhooks has them.
	stamped := strconv.FormatInt(sent.Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Webhook-Id", id)
	req.Header.Set("Webhook-Timestamp", stamped)
	if cfg.Secret == nil {
		return req, nil
	}
	// A template whose secret is empty must not send an unsigned request.
	if *cfg.Secret == "" {
		return nil, permanent("invalid_config", "secret is empty, so the request would not be signed; leave it out where that is meant.")
	}
	key, ok := signingKey(string(*cfg.Secret))
	if !ok {
		return nil, permanent("invalid_config", "secret begins with whsec_ but what follows is not base64.")
	}
	req.Header.Set("Webhook-Signature", "v1,"+signature(key, id, stamped, body))
	return req, nil
}

// signingKey returns the key of a secret: what follows whsec_ as base64, with or without
// padding (Standard Webhooks), or any other text as its bytes. False where the base64 is
// not readable or empty.
func signingKey(secret string) ([]byte, bool) {
	encoded, ok := strings.CutPrefix(secret, "whsec_")
	if !ok {
		return []byte(secret), true
	}
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	return key, err == nil && len(key) > 0
}

// signature returns the HMAC-SHA256 over "id.timestamp.body" in base64, as Standard
// Webhooks specifies it.
func signature(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// checkSecret returns the diagnostics of a secret that is written in the definition;
// none for a template.
func checkSecret(f fields) []fault.Issue {
	secret, ok := f.literal("secret")
	if !ok || !f.has("secret") {
		return nil
	}
	if secret == "" {
		return []fault.Issue{suggest(
			problem("invalid_value", "/secret", "secret is empty, so the request would not be signed; name a stored secret, or leave it out"),
			"{{ secrets.WEBHOOK_SECRET }}")}
	}
	if _, fine := signingKey(secret); !fine {
		return []fault.Issue{problem("invalid_value", "/secret", "secret begins with whsec_ but what follows is not base64")}
	}
	return []fault.Issue{suggest(
		warning("secret_in_definition", "/secret", "a secret written here is readable by everyone who may view the workflow"),
		"{{ secrets.WEBHOOK_SECRET }}")}
}

// checkOwnHeaders returns the diagnostics of headers that the step sets itself.
// Content-Type may be given as another name of JSON.
func checkOwnHeaders(raw json.RawMessage) []fault.Issue {
	h, ok := readFields(raw)
	if !ok {
		return nil
	}
	var out []fault.Issue
	for _, name := range sortedNames(h) {
		switch textproto.CanonicalMIMEHeaderKey(name) {
		case "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature":
			out = append(out, problem("invalid_value", "/headers"+pointer(name), "the step itself sets %s", name))
		case "Content-Type":
			if text, literal := h.literal(name); !literal || !isJSON(text) {
				out = append(out, problem("invalid_value", "/headers"+pointer(name), "a webhook's body is always JSON, and its Content-Type application/json; use http_request for another"))
			}
		}
	}
	return out
}
