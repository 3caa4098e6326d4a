package expressions

// functionWords are functions of other languages and products, called as
// name(…). Names are compared as wordTable.find does.
var functionWords = tableOf([]word{
	// Filters of Jinja, and escapes.
	{"selectattr select_attr where whereBy", "write filter(list, #.name)", "filter"},
	{"rejectattr reject", "write filter(list, not #.name)", "filter"},
	{"urlDecode urldecode unquote decodeURIComponent decodeURI url_decode decodeUri", "what is URL-encoded is not decoded here; a script step can", ""},
	{"escape escapeHtml escape_html htmlspecialchars html_escape", "write htmlEscape(text) for HTML, or urlEncode(text) for a URL", "htmlEscape"},
	{"chars characters", "write split(text, '')", "split"},
	// Functions of GitHub Actions about the steps before.
	{"always", "a step with depends_on runs after a failed one where that has on_error: continue; read steps.ID.status == 'failed'", ""},
	{"success failure cancelled canceled failed succeeded", "that is GitHub Actions'; write on_error: continue on the step before, and read its status: steps.ID.status == 'completed' or 'failed'", ""},
	// Parts of a text or list, and lengths.
	{"substring substr mid subStr strslice", "write a slice: text[0:3]", ""},
	{"slice", "write a slice: list[0:3]", ""},
	{"size length strlen strLength lenght charLength char_length cardinality", "write len(x)", "len"},
	// Defaults and conditions.
	{"coalesce default ifnull isnull nvl ifNull defaultTo getOrDefault d orElse default_value firstNonNull", "write x ?? 'default'", "??"},
	{"iff iif If IF cond ternary when choose switch case", "write condition ? a : b", ""},
	// Conversions, and texts with values in them.
	{"str String toString tostring to_string asString text Text cast_string strval toText stringify_value", "write string(x)", "string"},
	{"Number number toNumber tonumber to_number parseFloat toFloat Float double decimal numeric real", "write float(x), or int(x) for a whole number", "float"},
	{"parseInt toInt Int integer toInteger to_int Integer asInt intval", "write int(x)", "int"},
	{"bool boolean Boolean toBoolean to_bool toBool", "compare instead: x == true, or x != ''", ""},
	{"format printf sprintf fmt f interpolate template tpl formatString", "join texts with +, as in 'a ' + string(input.n); in a config write {{ }} into the text", ""},
	{"concatenate strcat string_concat concat_ws CONCAT", "join texts with +; concat joins lists", "+"},
	// What an expression cannot reach: the environment, secrets, other hashes,
	// randomness and the clock.
	{"env getenv getEnv environ ENV", "an expression sees no environment; give the value as input, or as a secret in config: {{ secrets.NAME }}", ""},
	{"secret getSecret get_secret credential credentials vault", "write secrets.NAME, in a config", "secrets.NAME"},
	{"md5 sha1 sha512 hash hashFiles checksum digest crc32", "there is sha256 alone, where hashes are needed", "sha256"},
	{"uuid uuid4 uuidv4 guid newGuid generateUUID random rand randint randomInt nanoid newid math_random", "an expression has no randomness; run.id is unique to the run", "run.id"},
	{"today utcnow utcNow currentTime current_timestamp getdate timestamp currentDate current_date unixNow NOW clock time", "an expression has no clock; run.started_at is when the run began", "run.started_at"},
	// Texts.
	{"toUpper toUpperCase uppercase ucase upcase strtoupper to_upper UPPER upperCase capitalize title", "write upper(x)", "upper"},
	{"toLower toLowerCase lowercase lcase downcase strtolower to_lower LOWER lowerCase", "write lower(x)", "lower"},
	{"strip trimSpace trim_space ltrim rtrim lstrip rstrip", "write trim(x)", "trim"},
	{"replaceAll replace_all regexReplace gsub re_sub translate substitute", "write replace(text, 'old', 'new')", "replace"},
	// Tests for what is missing, and searches.
	{"isEmpty empty is_empty isBlank", "write len(x) == 0", ""},
	{"exists defined isset has hasKey has_key exist isDefined isDef isPresent isNotNull", "write x != nil, or 'key' in object", ""},
	{"isNull is_null isNil", "write x == nil", ""},
	{"includes contains_string strContains icontains containsText", "write text contains 'a', or 'a' in list", "contains"},
	{"indexOfString strpos index locate", "write indexOf(text, 'a')", "indexOf"},
	{"regex regexMatch regexp match test regex_match regexMatches rlike matches_regex reMatch", "write text matches '^a'", "matches"},
	// Formats.
	{"json parse_json parseJson parseJSON from_json fromJson fromjson json_decode jsonDecode loads decode_json from_json_string jsonParse", "write fromJSON(text)", "fromJSON"},
	{"to_json toJson tojson dumps stringify json_encode jsonEncode json_dumps jsonStringify", "write toJSON(x)", "toJSON"},
	{"b64encode base64Encode base64_encode btoa encodeBase64 base64encode", "write toBase64(text)", "toBase64"},
	{"b64decode base64Decode base64_decode atob decodeBase64 base64decode base64ToString", "write fromBase64(text)", "fromBase64"},
	{"urlencode url_encode encodeURIComponent uriComponent quote encodeUri encodeURI", "write urlEncode(text)", "urlEncode"},
	// Lists and numbers.
	{"range", "write 1..n", ""},
	{"sorted order orderBy order_by", "write sort(list), or sortBy(list, #.name)", "sort"},
	{"reversed", "write reverse(list)", "reverse"},
	{"unique distinct dedupe removeDuplicates set", "write uniq(list)", "uniq"},
	{"avg average", "write mean(list)", "mean"},
	{"total", "write sum(list)", "sum"},
	{"maximum greatest", "write max(a, b)", "max"},
	{"minimum least", "write min(a, b)", "min"},
	{"pow power", "write a ** b", "**"},
	{"mod modulo", "write a % b", "%"},
	// Objects, and functions with a predicate.
	{"items entries to_entries toEntries", "write toPairs(object)", "toPairs"},
	{"from_entries fromEntries dict to_object", "write fromPairs(pairs)", "fromPairs"},
	{"select where find_all pick_if", "write filter(list, #.ok)", "filter"},
	{"forEach foreach apply transform pluck each", "write map(list, #.name)", "map"},
	{"some", "write any(list, #.ok)", "any"},
	{"every", "write all(list, #.ok)", "all"},
	{"nth elementAt element_at at", "write list[0]", ""},
	// Types and times.
	{"typeOf typeof", "write type(x)", "type"},
	{"parseDate toDate to_date datetime Date strptime parseTime parse_date dateparse", "write date(text)", "date"},
	{"formatDate format_date strftime dateFormat formatDateTime", "write date(text).Format('2006-01-02')", ""},
	// Where other products keep inputs, outputs and paths.
	{"step steps node task output outputs actions activity body result getOutput", "write steps.ID.output", "steps.ID.output"},
	{"input inputs getInput parameters variables variable vars trigger triggerBody triggerOutputs workflow param params getVar", "write input.name", "input"},
	{"jsonpath jsonPath json_path jp query jmespath search JSONPath", "write the path itself: input.a.b[0]", ""},
	{"merge assign union extend", "write a new object: {a: x.a, b: y.b}", ""},
	// Operators, written as functions.
	{"and AND", "and is an operator: write a and b", "and"},
	{"or OR", "or is an operator: write a or b", "or"},
	{"equals eq", "write a == b", "=="},
	{"greater greaterThan gt", "write a > b", ">"},
	{"less lessThan lt", "write a < b", "<"},
	{"add plus", "write a + b", "+"},
	{"sub subtract minus", "write a - b", "-"},
	{"mul multiply", "write a * b", "*"},
	{"div divide", "write a / b", "/"},
	{"print log console echo debug", "an expression only computes; a script prints", ""},
})

// methodWords are methods of other languages, called as x.name(…), and
// properties that are read like them, such as length.
var methodWords = tableOf([]word{
	// Lengths and texts.
	{"length size count len Length Count", "write len(x)", "len"},
	{"includes contains has indexOfAny", "write text contains 'a', or 'a' in list", "contains"},
	{"upper toUpperCase toUpper upcase uppercase", "write upper(x)", "upper"},
	{"lower toLowerCase toLower downcase lowercase", "write lower(x)", "lower"},
	{"trim strip", "write trim(x)", "trim"},
	{"split", "write split(text, ',')", "split"},
	{"join", "write join(list, ',')", "join"},
	{"replace replaceAll", "write replace(text, 'old', 'new')", "replace"},
	{"startsWith startswith starts_with hasPrefix", "write text startsWith 'a'", "startsWith"},
	{"endsWith endswith ends_with hasSuffix", "write text endsWith 'a'", "endsWith"},
	{"match test matches search", "write text matches '^a'", "matches"},
	{"indexOf index find_index", "write indexOf(text, 'a')", "indexOf"},
	{"substring substr slice", "write a slice: x[0:3]", ""},
	// Lists, with and without a predicate.
	{"map collect", "write map(list, #.name)", "map"},
	{"filter select where", "write filter(list, #.ok)", "filter"},
	{"find", "write find(list, #.ok)", "find"},
	{"some any", "write any(list, #.ok)", "any"},
	{"every all", "write all(list, #.ok)", "all"},
	{"reduce fold", "write sum(list), or join, map and filter", ""},
	{"forEach each", "write map(list, #.name)", "map"},
	{"sort sorted", "write sort(list)", "sort"},
	{"reverse", "write reverse(list)", "reverse"},
	{"first head", "write first(list)", "first"},
	{"last tail", "write last(list)", "last"},
	// Objects.
	{"keys", "write keys(object)", "keys"},
	{"values", "write values(object)", "values"},
	{"items entries", "write toPairs(object)", "toPairs"},
	{"get getOrDefault", "write object.name ?? 'default', or object['name']", ""},
	// Conversions, and what has no method at all.
	{"toString str toFixed", "write string(x)", "string"},
	{"format", "join texts with +", ""},
	{"concat append push", "write a + b for texts, concat(a, b) for lists", "concat"},
	{"isEmpty empty", "write len(x) == 0", ""},
	{"equals", "write a == b", "=="},
	{"flat flatten", "write flatten(list)", "flatten"},
	{"toISOString isoformat", "write the time itself; it prints as RFC 3339", ""},
	{"json", "the body is parsed already: write steps.ID.output.body", ""},
})

// spaceWords are functions of well-known objects and modules of other
// languages, by their whole name.
var spaceWords = tableOf([]word{
	{"JSON.stringify json.dumps", "write toJSON(x)", "toJSON"},
	{"JSON.parse json.loads", "write fromJSON(text)", "fromJSON"},
	{"Math.max", "write max(a, b)", "max"},
	{"Math.min", "write min(a, b)", "min"},
	{"Math.round", "write round(x)", "round"},
	{"Math.floor", "write floor(x)", "floor"},
	{"Math.ceil", "write ceil(x)", "ceil"},
	{"Math.abs", "write abs(x)", "abs"},
	{"Math.random", "an expression has no randomness; run.id is unique to the run", "run.id"},
	{"Object.keys", "write keys(object)", "keys"},
	{"Object.values", "write values(object)", "values"},
	{"Object.entries", "write toPairs(object)", "toPairs"},
	{"Array.isArray", "write type(x) == \"array\"", ""},
	{"Date.now Date.parse datetime.now time.time datetime.utcnow", "an expression has no clock; run.started_at is when the run began", "run.started_at"},
	{"Number.isInteger", "write type(x) == \"int\"", ""},
	{"String.format", "join texts with +", ""},
	{"os.getenv os.environ process.env", "an expression sees no environment; give the value as input", ""},
	{"re.match re.search", "write text matches '^a'", "matches"},
	{"strings.ToUpper", "write upper(x)", "upper"},
	{"strings.ToLower", "write lower(x)", "lower"},
	{"strings.Contains", "write text contains 'a'", "contains"},
})

// nameWords are root names of other products: where they keep the input,
// outputs and secrets.
var nameWords = tableOf([]word{
	// Constants.
	{"undefined None NONE none NULL Null Nil NIL NaN nan void", "write nil, or null", "nil"},
	{"True TRUE yes Yes YES on", "write true", "true"},
	{"False FALSE no No NO off", "write false", "false"},
	// Inputs, outputs and the run.
	{"inputs params parameters args arguments vars variables variable var payload trigger event request data ctx context state workflow_input workflowInput inputData input_data parameter body config triggers webhook query form env_vars props values", "the input of the run is input: write input.name", "input"},
	{"outputs output results result response step task tasks jobs job nodes node needs activities actions upstream prev previous dependencies states", "a step's output is steps.ID.output", "steps"},
	{"workflow flow execution dag pipeline process instance job_run github gitlab ci runtime", "the input is input.name, a step's output is steps.ID.output, and run has id, workflow_id, version, trigger and started_at", ""},
	{"secret credentials creds vault", "write secrets.NAME, in a config", "secrets"},
	// What an expression cannot reach, and what has another name here.
	{"env ENV environment process os environ", "an expression sees no environment: write input.name, or secrets.NAME in a config", ""},
	{"signal approvals approval callback message", "a signal's payload is signals.NAME", "signals"},
	{"each it element entry this self loop current iteration row record", "in the body of a loop the element is item, in a predicate #", "item"},
	{"now today timestamp date time utcnow", "an expression has no clock; run.started_at is when the run began", "run.started_at"},
	{"error err exception", "why a step failed is steps.ID.error", ""},
	{"matrix strategy", "in the body of a loop the element is item", "item"},
	{"JSON Math Object Array Date String Number console json datetime re strings", "there are no objects of a language here, only functions such as len, upper, fromJSON", ""},
})

// dollarWords are names of other products that begin with $. In the clause, %s
// stands for the members that followed the name.
var dollarWords = tableOf([]word{
	{"$", "$ is JSONPath's; write input%s for the run's input, or steps.ID.output%s for a step's output", ""},
	{"$json $data $binary", "that is n8n's; write steps.ID.output%s for a step's output, or input%s for the run's input", ""},
	{"$node $items $prevNode", "that is n8n's; write steps.ID.output", ""},
	{"$input $trigger $parameters $inputs", "write input%s", "input"},
	{"$vars $parameter $workflow $execution $env $secrets $credentials", "that is n8n's; write input.name, run.id, or secrets.NAME in a config", ""},
	{"$now $today", "an expression has no clock; run.started_at is when the run began", "run.started_at"},
	{"$states $context $variables $output $result", "that is Step Functions'; write input%s, or steps.ID.output%s", ""},
	{"$item $element $map", "in the body of a loop the element is item, in a predicate #", "item"},
})

// memberWords are members that outputs have under other names in other
// products, in lower case and without underscores; the first alternative that
// the output has is meant.
var memberWords = map[string][]string{
	"json": {"body", "result"}, "data": {"body", "result", "payload"}, "content": {"body"}, "text": {"body", "stdout"}, "response": {"body"}, "payload": {"body"},
	"statuscode": {"status_code"}, "status": {"status_code"}, "code": {"status_code", "exit_code"}, "httpstatus": {"status_code"}, "ok": {"status_code", "status"},
	"header": {"headers"}, "exitcode": {"exit_code"}, "returncode": {"exit_code"}, "rc": {"exit_code"}, "out": {"stdout"}, "output": {"stdout", "result", "body", "payload"},
	"err": {"stderr", "error"}, "value": {"result", "output"}, "result": {"output", "stdout"}, "results": {"output"}, "outputs": {"output"}, "return": {"output"}, "returnvalue": {"output"},
	"conclusion": {"status"}, "state": {"status"}, "outcome": {"status"}, "failed": {"status"}, "success": {"status"}, "succeeded": {"status"}, "completed": {"status", "completed"}, "skipped": {"status"},
	"exception": {"error"}, "errormessage": {"error"}, "stdoutput": {"stdout"}, "log": {"stdout"}, "answer": {"payload"}, "decision": {"payload"}, "items": {"results"}, "list": {"results"}, "total": {"count"}, "length": {"count"},
	"body": {"output"}, "stdout": {"output"}, "statustext": {"status_code"}, "startedat": {"started_at"}, "runid": {"id"}, "workflowid": {"workflow_id"},
}

// statusWords are the words of other products for a step's status.
var statusWords = tableOf([]word{
	{"success succeeded successful succeed ok done finished complete passed pass ended completedsuccessfully closed", "", "completed"},
	{"failure fail error errored timeout timedout timed_out faulted exception aborted crashed", "", "failed"},
	{"skip ignored bypassed omitted", "", "skipped"},
	{"canceled cancel stopped killed terminated", "", "cancelled"},
	{"active started inprogress in_progress executing", "", "running"},
	{"queued scheduled created new", "", "pending"},
})

// statuses are all values that steps.<id>.status can have.
var statuses = []string{"pending", "running", "waiting", "retrying", "completed", "failed", "skipped", "cancelled"}
