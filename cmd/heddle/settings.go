package main

import (
	"fmt"
	"heddle/access"
	"heddle/api"
	"heddle/steps"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settings is the configuration of the process after parsing and checking. The rows of
// table set the fields, which do not change afterwards.
type settings struct {
	Listen          string        // host:port
	DatabaseURL     string        // with the password
	DatabaseTimeout time.Duration // for all database calls of one request
	BootstrapKey    string        // "": none was given
	LoginLink       string        // auto, on or off
	SecretKey       string        // "": a file has it (keySource)
	EgressAllow     string        // as steps.NewGuard takes it
	MaxRuns         int           // runs with a step in flight
	MaxSteps        int           // steps in flight
	MaxScripts      int           // scripts in flight
	MaxPerHost      int           // webhooks in flight to one host
	IdlePerHost     int           // connections kept open to one host
	Scripts         string        // sandbox, off or unconfined
	ScriptLimits    steps.Limits  // of one script
	ScriptCgroup    string        // auto, off or an absolute path
	RunnerTick      bool          // queued instances begin by a request alone
	Rate            api.Rate      // of each API key; zero: unlimited
	Quotas          access.Quotas // of tenants that have none of their own
	LogLevel        slog.Level
	LogFormat       string       // text or json
	Spans           spanSettings // what OTEL_ variables say
	PublicURL       string       // without a slash at its end; "": unknown
	OIDC            oidcSettings // where people sign in
	resolved        []resolved   // each setting with its source
}

// setting is one row of the table: a variable, its flag and what it accepts.
// docs/settings.md is made from the rows.
type setting struct {
	Name    string // the environment variable
	Flag    string // "": no flag, as for secrets, which others could see in the process list
	Default string // "": the setting may be absent
	Secret  bool   // never printed; NAME_FILE names a file that holds it
	Help    string // what it is for
	Allowed string // what it accepts, as printed beside a refusal
	// set parses a value into the settings. Its error says what is wrong with the value
	// without quoting it, because it may be secret. It is not called for a setting that is
	// absent.
	set func(*settings, string) error
}

// table returns every setting, in the order in which `heddle config` prints them. It is
// the only list of them: a further setting is a further row.
func table() []setting {
	return append([]setting{
		{
			// The default is reachable from this machine alone.
			Name: "HEDDLE_LISTEN", Flag: "listen", Default: "127.0.0.1:8080",
			Help: "address to serve on; port 0 picks a free one", Allowed: "host:port",
			// Only the form is checked: whether the address is free shows when serve listens.
			set: func(s *settings, v string) error { s.Listen = v; return checkAddress(v) },
		},
		{
			// Secret, because it may hold a password; maskURL still shows the rest of it.
			Name: "HEDDLE_DATABASE_URL", Flag: "database-url", Default: "sqlite://heddle.db", Secret: true,
			Help:    "where everything is kept",
			Allowed: "sqlite://relative.db, sqlite:///absolute.db or postgres://user:password@host:port/name",
			set:     func(s *settings, v string) error { s.DatabaseURL = v; return checkDatabaseURL(v) },
		},
		{
			// Below 100 ms a busy disk alone would use it up; beyond a minute no client waits.
			Name: "HEDDLE_DATABASE_TIMEOUT", Flag: "database-timeout", Default: "4s",
			Help:    "how long a request waits for the database, over all its calls, before it answers 503",
			Allowed: "a duration from 100ms to 60s",
			set: func(s *settings, v string) (err error) {
				s.DatabaseTimeout, err = durationBetween(v, 100*time.Millisecond, time.Minute)
				return err
			},
		},
		{
			// It has no flag: other users of the machine can read the process's arguments.
			Name: "HEDDLE_BOOTSTRAP_KEY", Secret: true,
			Help: "an admin key for the tenant default; without one a key is made at the first start and printed once", Allowed: "16-256 printable characters",
			set: func(s *settings, v string) error { s.BootstrapKey = v; return checkKey(v) },
		},
		{
			// What a container prints is often kept, hence not everywhere.
			Name: "HEDDLE_LOGIN_LINK", Flag: "login-link", Default: "auto",
			Help: "whether serve prints a link that signs a browser in as an admin, once and within ten minutes; auto: where only this machine reaches the server, and beside a key that was made", Allowed: "auto, on or off",
			set: func(s *settings, v string) error { s.LoginLink = v; return oneOf(v, "auto", "on", "off") },
		},
		{
			// Empty by default: steps reach public addresses only (steps.Guard).
			Name: "HEDDLE_EGRESS_ALLOW", Flag: "egress-allow",
			Help: "private addresses that steps may reach", Allowed: "a comma-separated list of CIDRs, addresses or hosts, each with or without :port",
			set: func(s *settings, v string) error {
				s.EgressAllow = v
				_, err := steps.NewGuard(v)
				return err
			},
		},
		{
			// Without it the key is a file beside the database (keySource).
			Name: "HEDDLE_SECRET_KEY", Secret: true,
			Help: "encrypts stored secrets", Allowed: "16-256 printable characters",
			set: func(s *settings, v string) error { s.SecretKey = v; return checkKey(v) },
		},
		{
			// A run that only waits or decides does not count.
			Name: "WORKFLOW_MAX_CONCURRENT_RUNS", Flag: "max-concurrent-runs", Default: "10",
			Help: "runs with a step in flight at one time; the rest queue", Allowed: "a whole number from 1 to 100000",
			set: func(s *settings, v string) (err error) { s.MaxRuns, err = between(v, 1, 100_000); return err },
		},
		{
			// Attempts of all runs together, of whatever type.
			Name: "HEDDLE_MAX_STEPS", Flag: "max-steps", Default: "256",
			Help: "steps in flight at one time", Allowed: "a whole number from 1 to 100000",
			set: func(s *settings, v string) (err error) { s.MaxSteps, err = between(v, 1, 100_000); return err },
		},
		{
			// Scripts are processes of this machine, so their limit is far below that of
			// steps.
			Name: "HEDDLE_MAX_SCRIPTS", Flag: "max-scripts", Default: "4",
			Help: "scripts in flight at one time", Allowed: "a whole number from 1 to 1024",
			set: func(s *settings, v string) (err error) { s.MaxScripts, err = between(v, 1, 1024); return err },
		},
		{
			// One receiver that never answers must leave slots for the others.
			Name: "HEDDLE_MAX_PER_HOST", Flag: "max-per-host", Default: "5",
			Help: "webhooks in flight at one time to one host, and never more than half of WORKFLOW_MAX_CONCURRENT_RUNS", Allowed: "a whole number from 1 to 100000",
			set: func(s *settings, v string) (err error) { s.MaxPerHost, err = between(v, 1, 100_000); return err },
		},
		{
			// Beyond them each request dials anew.
			Name: "HEDDLE_IDLE_PER_HOST", Flag: "idle-per-host", Default: "128",
			Help: "connections of steps to one host that are kept open for further requests, for a minute", Allowed: "a whole number from 1 to 10000",
			set: func(s *settings, v string) (err error) { s.IdlePerHost, err = between(v, 1, 10_000); return err },
		},
		{
			// sandbox refuses scripts where nothing confines them (steps.Sandbox).
			Name: "HEDDLE_SCRIPTS", Flag: "scripts", Default: "sandbox",
			Help: "how script steps run", Allowed: "sandbox, off or unconfined",
			set: func(s *settings, v string) error {
				s.Scripts = v
				return oneOf(v, "sandbox", "off", "unconfined")
			},
		},
		{
			// For callers that decide themselves when queued instances begin.
			Name: "HEDDLE_RUNNER_TICK", Flag: "runner-tick", Default: "off",
			Help: "whether queued instances begin by POST /api/workflows/_runner/tick alone", Allowed: "on or off",
			set: func(s *settings, v string) error { s.RunnerTick = v == "on"; return oneOf(v, "on", "off") },
		},
		{
			// Each node counts for itself: a limit over all nodes would need a write per
			// request.
			Name: "HEDDLE_RATE_LIMIT", Flag: "rate-limit", Default: "off",
			Help:    "requests of each API key at this node; N/s:BURST lets BURST come at once, N without it",
			Allowed: "off, or N/s, N/m or N/h with N from 1 to 1000000, and a burst in the same range or none, as 50/s:200",
			set:     func(s *settings, v string) (err error) { s.Rate, err = readRate(v); return err },
		},
		{
			// The quotas are defaults: a tenant may have quotas of its own (access.Quotas).
			Name: "HEDDLE_QUOTA_OPEN_RUNS", Flag: "quota-open-runs", Default: "0",
			Help: "runs of each tenant that have not ended; 0 is unlimited", Allowed: quotaRange,
			set: func(s *settings, v string) (err error) {
				s.Quotas.OpenRuns, err = between(v, 0, access.MaxQuota)
				return err
			},
		},
		{
			// Streams are connections to one node, so each node counts its own.
			Name: "HEDDLE_QUOTA_STREAMS", Flag: "quota-streams", Default: "0",
			Help: "open event streams of each tenant at this node; 0 is unlimited", Allowed: quotaRange,
			set: func(s *settings, v string) (err error) {
				s.Quotas.Streams, err = between(v, 0, access.MaxQuota)
				return err
			},
		},
		{
			Name: "HEDDLE_QUOTA_SCHEDULES", Flag: "quota-schedules", Default: "0",
			Help: "schedules of each tenant; 0 is unlimited", Allowed: quotaRange,
			set: func(s *settings, v string) (err error) {
				s.Quotas.Schedules, err = between(v, 0, access.MaxQuota)
				return err
			},
		},
		{
			// Counted in the background (quota.Bytes), so it may be exceeded for a while.
			Name: "HEDDLE_QUOTA_STORED_BYTES", Flag: "quota-stored-bytes", Default: "0",
			Help:    "bytes that each tenant may have stored in definitions, templates and runs; 0 is unlimited",
			Allowed: "a whole number from 0 to 100000000000000",
			set:     func(s *settings, v string) (err error) { s.Quotas.StoredBytes, err = readStoredBytes(v); return err },
		},
		{
			Name: "HEDDLE_LOG_LEVEL", Flag: "log-level", Default: "info",
			Help: "the lowest level that is logged", Allowed: "debug, info, warn or error",
			set: func(s *settings, v string) error {
				if err := oneOf(v, "debug", "info", "warn", "error"); err != nil {
					return err
				}
				return s.LogLevel.UnmarshalText([]byte(v))
			},
		},
		{
			// Both go to standard error: standard output belongs to the command's result.
			Name: "HEDDLE_LOG_FORMAT", Flag: "log-format", Default: "text",
			Help: "how log lines look on stderr", Allowed: "text or json",
			set: func(s *settings, v string) error { s.LogFormat = v; return oneOf(v, "text", "json") },
		},
	}, slices.Concat(oidcTable(), scriptSettings(), telemetryTable())...)
}

// readStoredBytes reads the quota of stored bytes, 0 for none.
func readStoredBytes(v string) (int64, error) {
	n, err := strconv.ParseInt(v, 10, 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("it is not a whole number")
	case n < 0 || n > access.MaxStoredBytes:
		return 0, fmt.Errorf("it is out of range")
	}
	return n, nil
}

// quotaRange is what the quotas accept, from 0 to access.MaxQuota.
const quotaRange = "a whole number from 0 to 1000000000"

// readRate parses a rate such as "50/s" or, with a burst, "50/s:200":
//
//	50/s      50 requests per second, Burst 0
//	600/m:50  600 per minute, of which 50 may come at once
//	off       the zero Rate, which limits nothing
func readRate(v string) (api.Rate, error) {
	if v == "off" {
		return api.Rate{}, nil
	}
	// The map of units returns 0 for an unknown one, and for none.
	count, rest, cut := strings.Cut(v, "/")
	unit, burst, bursts := strings.Cut(rest, ":")
	r := api.Rate{Per: map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]}
	if !cut || r.Per == 0 {
		return api.Rate{}, fmt.Errorf("it is not a rate")
	}
	var err error
	if r.Requests, err = between(count, 1, 1_000_000); err == nil && bursts {
		r.Burst, err = between(burst, 1, 1_000_000)
	}
	return r, err
}

// checkAddress refuses what is not host:port with a numeric port. An empty host is
// all interfaces.
func checkAddress(v string) error {
	// A port by name would depend on the machine's /etc/services.
	_, port, err := net.SplitHostPort(v)
	if err != nil {
		return err
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("port %q is not a number from 0 to 65535", port)
	}
	return nil
}

// checkDatabaseURL refuses a URL of an unknown scheme. Whether the database exists shows
// when it is opened. Its error does not quote the URL, which may hold a password.
func checkDatabaseURL(v string) error {
	u, err := url.Parse(v)
	if err != nil {
		return fmt.Errorf("it is not a URL")
	}
	return oneOf(u.Scheme, "sqlite", "postgres", "postgresql")
}

// checkKey refuses a key that is not 16 to 256 printable ASCII characters: it has to fit
// into an HTTP header.
func checkKey(v string) error {
	if len(v) < 16 || len(v) > 256 {
		return fmt.Errorf("it has %d characters", len(v))
	}
	for _, c := range []byte(v) {
		if c <= ' ' || c > '~' {
			return fmt.Errorf("it holds a character that is not printable ASCII")
		}
	}
	return nil
}

// between parses a whole number from least to most, both included.
func between(v string, least, most int) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0, fmt.Errorf("it is not a whole number")
	}
	if n < least || n > most {
		return 0, fmt.Errorf("it is out of range")
	}
	return n, nil
}

// durationBetween parses a duration such as 4s, from least to most, both included.
func durationBetween(v string, least, most time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(v)
	if err != nil {
		return 0, fmt.Errorf("it is not a duration such as 4s or 250ms")
	}
	if d < least || d > most {
		return 0, fmt.Errorf("it is out of range")
	}
	return d, nil
}

// oneOf refuses a value that is not one of the words. They are case-sensitive.
func oneOf(v string, words ...string) error {
	if slices.Contains(words, v) {
		return nil
	}
	return fmt.Errorf("it is none of them")
}
