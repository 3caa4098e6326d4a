package main

import (
	"context"
	"fmt"
	"heddle/executor"
	"heddle/telemetry"
	"log/slog"
	"strings"
	"time"
)

// spanSettings holds OpenTelemetry's standard variables, as far as they are read here:
// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/. The
// exporter itself reads those about TLS, compression and the time of one request.
type spanSettings struct {
	Disabled       bool
	Exporter       string            // otlp or none
	Endpoint       string            // of all signals
	TracesEndpoint string            // a whole URL; it goes before Endpoint
	Headers        map[string]string // of all signals; may hold credentials
	TracesHeaders  map[string]string // replace Headers unless empty
	Service        string            // service.name; "": the default
	Attributes     map[string]string // of the process, on all its spans
	Sampler        string            // one of telemetry.Samplers
	SamplerArg     string            // the proportion of the ratio samplers
	Queue          int               // spans that wait; more are dropped
	Batch          int               // spans sent at once
	DelayMS        int               // after which an incomplete batch is sent
}

// endpoint returns the URL that spans are sent to; "" if no spans are made.
func (s spanSettings) endpoint() string {
	switch {
	// Before the endpoints: they may be set for all programs of a machine.
	case s.Disabled || s.Exporter == "none":
		return ""
	// A whole URL is used as it is; only the general endpoint gets the path appended.
	case s.TracesEndpoint != "":
		return s.TracesEndpoint
	case s.Endpoint != "":
		return strings.TrimRight(s.Endpoint, "/") + "/v1/traces"
	default:
		return ""
	}
}

// spans returns the service that makes spans; nil, at no cost, without an endpoint.
// sendsTrace reports whether steps of a type send the trace to others.
func spans(s spanSettings, sendsTrace func(stepType string) bool, log *slog.Logger) (*telemetry.Service, error) {
	endpoint := s.endpoint()
	if endpoint == "" {
		return nil, nil
	}
	// Each was checked by itself; together they may still not be right.
	sampler, err := telemetry.NewSampler(s.Sampler, s.SamplerArg)
	if err != nil {
		return nil, fmt.Errorf("OTEL_TRACES_SAMPLER: %w", err)
	}
	// The specification has the headers of one signal replace those of all, not add to
	// them.
	headers := s.Headers
	if len(s.TracesHeaders) > 0 {
		headers = s.TracesHeaders
	}
	return telemetry.New(telemetry.Config{
		Endpoint: endpoint, Headers: headers, Service: s.Service, Version: buildVersion(), Attributes: s.Attributes,
		Sampler: sampler, SendsTrace: sendsTrace, Queue: s.Queue, Batch: min(s.Batch, s.Queue), Delay: time.Duration(s.DelayMS) * time.Millisecond, Log: log,
	})
}

// tracer returns the service as the executor's Tracer. A nil service becomes a nil
// interface, for which the executor tests.
func tracer(t *telemetry.Service) executor.Tracer {
	if t == nil {
		return nil
	}
	return t
}

// flushFor bounds how long the last spans are waited for when the process stops.
const flushFor = 5 * time.Second

// flush sends the last spans. A loss is logged and is not a failure of the process. A
// nil t has none.
func flush(t *telemetry.Service, log *slog.Logger) {
	if t == nil {
		return
	}
	// The context of the process has ended by now.
	ctx, cancel := context.WithTimeout(context.Background(), flushFor)
	defer cancel()
	if err := t.Close(ctx); err != nil {
		log.Warn("spans were lost at the end", "error", err)
	}
}

// telemetryTable returns the settings of tracing.
func telemetryTable() []setting {
	// Names, defaults and meanings are those of the OpenTelemetry specification, and its
	// variables have no flags here but the first.
	endpoint := "an http:// or https:// URL without credentials"
	list := "name=value pairs with commas between them, values percent-encoded"
	return []setting{
		{
			Name: "OTEL_EXPORTER_OTLP_ENDPOINT", Flag: "otlp-endpoint",
			Help: "OpenTelemetry collector that gets the spans, at /v1/traces below; without it none are made", Allowed: endpoint,
			set: func(s *settings, v string) error { s.Spans.Endpoint = v; return telemetry.CheckEndpoint(v) },
		},
		{
			Name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
			Help: "the same, as a whole URL", Allowed: endpoint,
			set: func(s *settings, v string) error { s.Spans.TracesEndpoint = v; return telemetry.CheckEndpoint(v) },
		},
		{
			// Secret, because collectors take their credentials here.
			Name: "OTEL_EXPORTER_OTLP_HEADERS", Secret: true,
			Help: "headers for the collector", Allowed: list,
			set: func(s *settings, v string) (err error) { s.Spans.Headers, err = telemetry.ParseList(v); return err },
		},
		{
			Name: "OTEL_EXPORTER_OTLP_TRACES_HEADERS", Secret: true,
			Help: "the same, instead of those", Allowed: list,
			set: func(s *settings, v string) (err error) {
				s.Spans.TracesHeaders, err = telemetry.ParseList(v)
				return err
			},
		},
		{
			// Read only to refuse what is not supported, rather than to send what was not
			// asked for.
			Name: "OTEL_EXPORTER_OTLP_PROTOCOL", Default: "http/protobuf",
			Help: "how spans are sent", Allowed: "http/protobuf",
			set: func(_ *settings, v string) error { return oneOf(v, "http/protobuf") },
		},
		{
			Name: "OTEL_TRACES_EXPORTER", Default: "otlp",
			Help: "none switches tracing off", Allowed: "otlp or none",
			set: func(s *settings, v string) error { s.Spans.Exporter = v; return oneOf(v, "otlp", "none") },
		},
		{
			Name: "OTEL_SDK_DISABLED", Default: "false",
			Help: "true switches tracing off", Allowed: "true or false",
			set: func(s *settings, v string) error {
				s.Spans.Disabled = strings.EqualFold(v, "true")
				return oneOf(strings.ToLower(v), "true", "false")
			},
		},
		{
			Name: "OTEL_SERVICE_NAME",
			Help: "service.name of the spans, unless OTEL_RESOURCE_ATTRIBUTES has it: heddle", Allowed: "any text",
			set: func(s *settings, v string) error { s.Spans.Service = v; return nil },
		},
		{
			Name: "OTEL_RESOURCE_ATTRIBUTES",
			Help: "more about this process, on all its spans", Allowed: list,
			set: func(s *settings, v string) (err error) { s.Spans.Attributes, err = telemetry.ParseList(v); return err },
		},
		{
			Name: "OTEL_TRACES_SAMPLER", Default: "parentbased_always_on",
			Help: "which runs have spans", Allowed: strings.Join(telemetry.Samplers(), ", "),
			set: func(s *settings, v string) error {
				s.Spans.Sampler = v
				_, err := telemetry.NewSampler(v, "")
				return err
			},
		},
		{
			// Checked without the sampler, whose row may come from elsewhere.
			Name: "OTEL_TRACES_SAMPLER_ARG",
			Help: "the proportion of the ratio samplers", Allowed: "a number from 0 to 1",
			set: func(s *settings, v string) error {
				s.Spans.SamplerArg = v
				_, err := telemetry.NewSampler("", v)
				return err
			},
		},
		{
			// The specification's default is 2048.
			Name: "OTEL_BSP_MAX_QUEUE_SIZE", Default: "8192",
			Help: "spans that wait to be sent; more are dropped", Allowed: "a whole number from 1 to 1000000",
			set: func(s *settings, v string) (err error) { s.Spans.Queue, err = between(v, 1, 1_000_000); return err },
		},
		{
			Name: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", Default: "512",
			Help: "spans sent at once", Allowed: "a whole number from 1 to 100000",
			set: func(s *settings, v string) (err error) { s.Spans.Batch, err = between(v, 1, 100_000); return err },
		},
		{
			Name: "OTEL_BSP_SCHEDULE_DELAY", Default: "5000",
			Help: "milliseconds after which fewer are sent", Allowed: "a whole number from 1 to 600000",
			set: func(s *settings, v string) (err error) { s.Spans.DelayMS, err = between(v, 1, 600_000); return err },
		},
	}
}
