package layers

// rule is what one package may import. Own packages are named without the
// module's path; an entry that ends in /... stands for a whole tree. Whatever the
// standard library has and noStandard does not name is allowed.
type rule struct {
	own          []string // Heddle's packages
	everything   bool     // any of Heddle's packages
	external     []string // third-party packages
	noStandard   []string // packages of the standard library that are refused; tests may import them
	testOwn      []string // further packages of Heddle for its tests
	testExternal []string // further third-party packages for its tests
}

// inTests is what every test may import.
var inTests = []string{
	"heddle/internal/await", "github.com/google/go-cmp/...", "go.uber.org/goleak", "pgregory.net/rapid",
}

// The layers, each with all that is below it.
var (
	leaves   = []string{"audit", "clock", "deadline", "events", "fault", "idempotency", "ids", "internal/editdistance", "internal/elements", "internal/exactjson", "internal/lazyregexp", "internal/typeschema", "quota", "timers"}
	core     = append([]string{"definitions/...", "expressions", "executor/machine", "executor/queue"}, leaves...)
	features = append([]string{"access", "agents", "approvals", "bulk", "drafts", "executor", "live", "schedules", "search", "secrets", "signin", "system", "templates", "versions"}, core...)
)

// impure is what the pure core and the leaves do not import, because they only
// compute. That they read no clock is checked by the linter.
var impure = []string{
	"crypto/rand", "database/sql/...", "log/...", "math/rand/...", "net/http/...", "net",
	"os/...", "plugin", "syscall/...",
}

// outside is what features do not import: they reach networks, databases and
// processes through the interfaces that they declare.
var outside = []string{"database/sql/...", "net", "net/http/...", "os/exec"}

// Third-party packages, by what they are for here.
const (
	cobra      = "github.com/spf13/cobra/..."
	cron       = "github.com/robfig/cron/v3/..."
	dnsmessage = "golang.org/x/net/dns/dnsmessage" // a name server of the tests
	echo       = "github.com/labstack/echo/v4/..."
	expr       = "github.com/expr-lang/expr/..."
	goOIDC     = "github.com/coreos/go-oidc/v3/..."
	oauth2     = "golang.org/x/oauth2"
	jose       = "github.com/go-jose/go-jose/v4/..." // signs what a provider of the tests says
	goose      = "github.com/pressly/goose/v3/..."
	gorm       = "gorm.io/..."
	http2      = "golang.org/x/net/http2/..." // a server of the tests that refuses streams
	jsondiff   = "github.com/wI2L/jsondiff"
	jsonpatch  = "github.com/evanphx/json-patch/v5" // applies patches independently of our own code
	jsonschema = "github.com/santhosh-tekuri/jsonschema/v6/..."
	landlock   = "github.com/landlock-lsm/go-landlock/..."
	prometheus = "github.com/prometheus/client_golang/prometheus/..."
	pgx        = "github.com/jackc/pgx/v5/..."
	pgxPool    = "github.com/jackc/puddle/v2" // the pool under pgx
	sqlite     = "github.com/glebarez/..."
	sqliteLow  = "modernc.org/sqlite/..."
	sys        = "golang.org/x/sys/..."
	otel       = "go.opentelemetry.io/..."
	protobuf   = "google.golang.org/protobuf/..." // what a collector receives
	weights    = "golang.org/x/sync/semaphore"    // weighted limits
	text       = "golang.org/x/text/..."          // messages of jsonschema, and charsets
	yaml       = "go.yaml.in/yaml/v3"
)

// stack is what the tests of features and edges run on: the real store.
var stack = []string{"store", "store/storetest", "steps"}

// The tests of the packages below definitions read and validate whole texts, and
// some with the real step types.
var definitionTests = []string{"definitions/...", "steps"}

// table has a rule for each package, by its path without the module's. A new
// package gets a row here and in docs/ARCHITECTURE.md.
var table = map[string]rule{
	// Leaves: the standard library only.
	"audit":       {own: []string{"fault"}, noStandard: impure},
	"deadline":    {noStandard: impure},
	"events":      {noStandard: impure},
	"fault":       {noStandard: impure},
	"idempotency": {noStandard: impure},
	"quota":       {own: []string{"fault"}, noStandard: impure},
	"clock":       {},
	"ids":         {},
	"timers":      {noStandard: impure},

	// The pure core.
	"expressions":            {own: []string{"fault", "internal/editdistance", "internal/exactjson", "internal/lazyregexp"}, external: []string{expr, jsonschema}, noStandard: impure},
	"definitions":            {own: []string{"fault", "internal/lazyregexp"}, noStandard: impure},
	"definitions/source":     {own: []string{"fault", "internal/editdistance", "internal/exactjson", "internal/lazyregexp"}, external: []string{yaml}, noStandard: impure},
	"definitions/schemas":    {own: []string{"definitions/source", "fault", "internal/exactjson"}, external: []string{jsonschema, text}, noStandard: impure, testOwn: definitionTests},
	"definitions/advice":     {own: []string{"definitions", "definitions/source", "internal/lazyregexp"}, noStandard: impure},
	"definitions/parser":     {own: []string{"definitions", "definitions/advice", "definitions/source", "fault", "internal/exactjson", "internal/lazyregexp"}, noStandard: impure, testOwn: definitionTests},
	"definitions/validation": {own: []string{"definitions", "definitions/advice", "definitions/parser", "definitions/schemas", "definitions/source", "expressions", "fault", "internal/exactjson", "internal/lazyregexp"}, external: []string{jsonschema}, noStandard: impure, testOwn: definitionTests},
	"definitions/workflows":  {own: append([]string{"definitions", "definitions/parser", "definitions/source", "definitions/validation"}, leaves...), noStandard: impure},
	"executor/machine":       {own: append([]string{"definitions/...", "expressions"}, leaves...), external: []string{jsonschema}, noStandard: impure},
	"executor/queue":         {noStandard: impure},

	// Features: use cases and loops.
	"access":    {own: leaves, noStandard: outside, testOwn: stack},
	"signin":    {own: append([]string{"access"}, leaves...), noStandard: outside, testOwn: stack},
	"executor":  {own: core, external: []string{jsonschema, weights}, noStandard: outside, testOwn: stack},
	"approvals": {own: append([]string{"access", "executor"}, core...), noStandard: outside, testOwn: stack},
	"bulk":      {own: append([]string{"access", "executor", "schedules"}, core...), noStandard: outside, testOwn: stack},
	"agents":    {own: core, noStandard: outside, testOwn: stack},
	"secrets":   {own: core, noStandard: outside, testOwn: stack},
	"search":    {own: append([]string{"executor", "schedules", "templates"}, core...), noStandard: outside, testOwn: stack},
	"system":    {own: append([]string{"executor"}, core...), noStandard: outside, testOwn: stack},
	"live":      {own: append([]string{"access", "approvals", "executor", "schedules"}, core...), noStandard: outside, testOwn: stack},
	"schedules": {own: append([]string{"executor"}, core...), external: []string{cron}, noStandard: outside, testOwn: append([]string{"metrics"}, stack...)},
	"templates": {own: core, noStandard: outside, testOwn: append([]string{"executor"}, stack...)},
	"drafts":    {own: core, noStandard: outside, testOwn: stack},
	"versions":  {own: core, external: []string{jsondiff}, noStandard: outside, testOwn: stack, testExternal: []string{jsonpatch}},

	// Edges: never each other.
	"api":             {own: append([]string{"api/..."}, features...), testOwn: append([]string{"client"}, stack...), testExternal: []string{jsonpatch, jsonschema}},
	"api/core":        {own: features, external: []string{echo, weights}},
	"api/openapi":     {own: append([]string{"api/core", "internal/typeschema"}, features...)},
	"api/admin":       {own: append([]string{"api/core"}, features...)},
	"api/approvals":   {own: append([]string{"api/core"}, features...)},
	"api/authoring":   {own: append([]string{"api/core"}, features...)},
	"api/bulk":        {own: append([]string{"api/core"}, features...)},
	"api/instances":   {own: append([]string{"api/core"}, features...)},
	"api/runs":        {own: append([]string{"api/core"}, features...)},
	"api/scheduling":  {own: append([]string{"api/core"}, features...)},
	"api/turns":       {own: append([]string{"api/core"}, features...)},
	"api/workflows":   {own: append([]string{"api/core"}, features...)},
	"console":         {},
	"metrics":         {own: features, external: []string{prometheus}, testOwn: append([]string{"api"}, stack...)},
	"oidc":            {own: features, external: []string{goOIDC, oauth2}, testExternal: []string{jose}},
	"migrations":      {external: []string{goose, gorm}, testExternal: []string{pgx, sqlite}},
	"steps":           {own: append([]string{"internal/sandbox"}, features...), external: []string{jsonschema, landlock, sys, text}, testOwn: stack, testExternal: []string{dnsmessage, http2}},
	"store":           {own: append([]string{"migrations"}, features...), external: []string{goose, gorm, pgx, pgxPool, sqlite, sqliteLow, sys, text}, testOwn: []string{"store/storetest"}},
	"store/storetest": {own: append([]string{"store"}, features...), external: append([]string{pgx}, inTests...)},
	"telemetry":       {own: features, external: []string{otel}, testOwn: stack, testExternal: []string{protobuf}},

	// Outside of the server: what speaks to it by its API.
	"client": {},
	"cli":    {own: []string{"client"}, external: []string{cobra, sys, yaml}},

	// Only the command wires. The internal packages serve it, its packages or the tests.
	"cmd/heddle":            {everything: true, external: []string{cobra, gorm, pgx, sqlite, sys}, testExternal: []string{otel, protobuf}},
	"internal/await":        {},
	"internal/bench":        {own: append([]string{"client"}, features...), external: []string{pgx}},
	"internal/crash":        {testOwn: []string{"client", "executor/machine", "store", "store/storetest"}, testExternal: []string{sys}},
	"internal/editdistance": {noStandard: impure},
	"internal/elements":     {},
	"internal/exactjson":    {noStandard: impure},
	"internal/layers":       {},
	"internal/lazyregexp":   {},
	"internal/sandbox":      {testExternal: []string{sys}},
	"internal/typeschema":   {noStandard: impure},
}
