//! Places that are slow or unsafe.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case(
        "perf/await-in-loop",
        "typescript",
        &[(
            "a/{a}.ts",
            "export async function {a}(ids: string[]) {\n  for (const id of ids) {\n    await {b}(id);\n  }\n}\n",
        )],
        &[
            &[(
                "a/{a}.ts",
                "export async function {a}(ids: string[]) {\n  for (const id of ids) {\n    ids.push(id);\n  }\n  await {b}(ids);\n}\n",
            )],
            &[(
                "a/{a}.ts",
                "export async function {a}(ids: string[]) {\n  while (true) {\n    await {b}(1);\n  }\n}\n",
            )],
            &[(
                "a/{a}.ts",
                "export function {a}(ids: string[]) {\n  for (const id of ids) {\n    later(async () => await {b}(id));\n  }\n}\n",
            )],
        ],
    ),
    case(
        "perf/await-in-loop",
        "python",
        &[(
            "a/{a}.py",
            "async def {a}(rows):\n    for row in rows:\n        await {b}(row.id)\n",
        )],
        &[&[(
            "a/{a}.py",
            "async def {a}(rows):\n    for _ in range(3):\n        await {b}(rows)\n",
        )]],
    ),
    case(
        "perf/concat-in-loop",
        "python",
        &[(
            "a/{a}.py",
            "def {a}(rows):\n    {b} = ''\n    for row in rows:\n        {b} += f'<li>{row}</li>'\n    return {b}\n",
        )],
        &[
            &[(
                "a/{a}.py",
                "def {a}(rows):\n    for row in rows:\n        {b} = 'x'\n        {b} += f'<li>{row}</li>'\n        row({b})\n",
            )],
            &[(
                "a/{a}.py",
                "def {a}(rows):\n    {b} = 0\n    for row in rows:\n        {b} += row.size\n    return {b}\n",
            )],
            &[(
                "a/{a}.py",
                "def {a}(rows):\n    {b} = []\n    for row in rows:\n        {b} += [f'<li>{row}</li>']\n    return {b}\n",
            )],
            &[(
                "a/{a}.py",
                "def {a}(row):\n    {b} = 'x'\n    {b} += f'<li>{row}</li>'\n    return {b}\n",
            )],
        ],
    ),
    case(
        "perf/concat-in-loop",
        "go",
        &[(
            "a/{a}.go",
            "package a\n\nfunc f(rows []string) string {\n\ts := \"\"\n\tfor _, row := range rows {\n\t\ts += row + \",\"\n\t}\n\treturn s\n}\n",
        )],
        &[&[(
            "a/{a}.go",
            "package a\n\nfunc f(rows []int) int {\n\ts := 0\n\tfor _, row := range rows {\n\t\ts += row\n\t}\n\treturn s\n}\n",
        )]],
    ),
    case(
        "perf/membership-quadratic",
        "python",
        &[(
            "a/{a}.py",
            "def {a}(rows):\n    {b} = []\n    for row in rows:\n        if row not in {b}:\n            {b}.append(row)\n    return {b}\n",
        )],
        &[
            &[(
                "a/{a}.py",
                "def {a}(rows):\n    {b} = set()\n    for row in rows:\n        if row not in {b}:\n            {b}.add(row)\n    return {b}\n",
            )],
            &[(
                "a/{a}.py",
                "def {a}(rows):\n    {b} = ['x', 'y']\n    return [row for row in rows if row in {b}]\n",
            )],
            &[(
                "a/{a}.py",
                "def {a}(rows):\n    {b} = []\n    {b} = set({b})\n    for row in rows:\n        if row in {b}:\n            row()\n",
            )],
            &[(
                "a/{a}.py",
                "def {a}(rows):\n    for row in rows:\n        {b} = []\n        if row in {b}:\n            row()\n",
            )],
        ],
    ),
    case(
        "perf/membership-quadratic",
        "typescript",
        &[(
            "a/{a}.ts",
            "export function {a}(rows: Row[]) {\n  const {b} = rows.map((row) => row.id);\n  for (const row of rows) {\n    if ({b}.includes(row.parent)) row.keep();\n  }\n}\n",
        )],
        &[
            &[(
                "a/{a}.ts",
                "export function {a}(rows: Row[]) {\n  const {b} = new Set(rows.map((row) => row.id));\n  for (const row of rows) {\n    if ({b}.has(row.parent)) row.keep();\n  }\n}\n",
            )],
            &[(
                "a/{a}.ts",
                "export function {a}(rows: Row[], name: string) {\n  for (const row of rows) {\n    if (name.includes(row.parent)) row.keep();\n  }\n}\n",
            )],
        ],
    ),
    case(
        "perf/lock-across-await",
        "rust",
        &[(
            "src/{a}.rs",
            "async fn {a}(&self) {\n    let mut {b} = self.map.lock().unwrap();\n    {b}.insert(1, fetch().await);\n}\n",
        )],
        &[
            &[(
                "src/{a}.rs",
                "async fn {a}(&self) {\n    let mut {b} = self.map.lock().unwrap();\n    {b}.clear();\n    drop({b});\n    fetch().await;\n}\n",
            )],
            &[(
                "src/{a}.rs",
                "async fn {a}(&self) {\n    {\n        let mut {b} = self.map.lock().unwrap();\n        {b}.clear();\n    }\n    fetch().await;\n}\n",
            )],
            &[(
                "src/{a}.rs",
                "async fn {a}(&self) {\n    let mut {b} = self.map.lock().await;\n    {b}.insert(1, fetch().await);\n}\n",
            )],
            &[(
                "src/{a}.rs",
                "fn {a}(&self) {\n    let mut {b} = self.map.lock().unwrap();\n    spawn(async { fetch().await });\n}\n",
            )],
        ],
    ),
    case(
        "perf/regex-in-loop",
        "python",
        &[(
            "a/{a}.py",
            "import re\n\ndef {b}(rows):\n    for row in rows:\n        re.compile('a+').match(row)\n",
        )],
        &[
            &[(
                "a/{a}.py",
                "import re\n\ndef {b}(rows, pattern):\n    for row in rows:\n        re.compile(pattern).match(row)\n",
            )],
            &[(
                "a/{a}.py",
                "import re\n\ndef {b}(rows):\n    one = re.compile('a+')\n    for row in rows:\n        one.match(row)\n",
            )],
        ],
    ),
    case(
        "perf/regex-in-loop",
        "rust",
        &[(
            "a/{a}.rs",
            "fn {b}(rows: &[String]) {\n    for row in rows { let r = Regex::new(\"a+\").unwrap(); r.is_match(row); }\n}\n",
        )],
        &[&[(
            "a/{a}.rs",
            "fn {b}(rows: &[String]) {\n    for row in rows { let r = Regex::new(row).unwrap(); r.is_match(row); }\n}\n",
        )]],
    ),
    case(
        "perf/regex-in-loop",
        "go",
        &[(
            "a/{a}.go",
            "package a\n\nfunc {b}(rows []string) {\n\tfor _, row := range rows {\n\t\tregexp.MustCompile(`a+`).MatchString(row)\n\t}\n}\n",
        )],
        &[&[(
            "a/{a}.go",
            "package a\n\nvar {c} = regexp.MustCompile(`a+`)\n\nfunc {b}(rows []string) {\n\tfor _, row := range rows {\n\t\t{c}.MatchString(row)\n\t}\n}\n",
        )]],
    ),
    case(
        "perf/query-in-loop",
        "python",
        &[(
            "a/{a}.py",
            "def {b}(rows):\n    for row in rows:\n        User.objects.get(pk=row.pk)\n",
        )],
        &[
            &[(
                "a/{a}.py",
                "def {b}(rows, options):\n    for row in rows:\n        options.get(row.pk)\n",
            )],
            &[(
                "a/{a}.py",
                "def {b}(batches):\n    for batch in batches:\n        User.objects.filter(pk__in=batch).count()\n",
            )],
            &[(
                "a/{a}.py",
                "def {b}(rows):\n    User.objects.get(pk=1)\n    for row in rows:\n        print(row)\n",
            )],
            &[(
                "a/{a}.py",
                "def {b}():\n    while True:\n        User.objects.get(pk=1)\n",
            )],
        ],
    ),
    case(
        "perf/query-in-loop",
        "typescript",
        &[(
            "a/{a}.ts",
            "async function {b}(ids: string[]) {\n  for (const id of ids) {\n    await users.findOne({ where: { id } });\n  }\n}\n",
        )],
        &[&[(
            "a/{a}.ts",
            "function {b}(ids: string[]) {\n  for (const id of ids) {\n    items.find((one) => one.id === id);\n  }\n}\n",
        )]],
    ),
    case(
        "perf/query-in-loop",
        "go",
        &[(
            "a/{a}.go",
            "package a\n\nfunc {b}(ids []int) {\n\tfor _, id := range ids {\n\t\ts.db.QueryRow(\"select\", id)\n\t}\n}\n",
        )],
        &[&[(
            "a/{a}.go",
            "package a\n\nfunc {b}(ids []int) {\n\tfor _, id := range ids {\n\t\turl.Query(id)\n\t}\n}\n",
        )]],
    ),
    case(
        "perf/sync-io-in-async",
        "python",
        &[(
            "a/{a}.py",
            "import time\n\nasync def {b}():\n    time.sleep(1)\n",
        )],
        &[
            &[("a/{a}.py", "import time\n\ndef {b}():\n    time.sleep(1)\n")],
            &[(
                "a/{a}.py",
                "import asyncio\n\nasync def {b}():\n    await asyncio.sleep(1)\n",
            )],
            &[(
                "a/{a}.py",
                "import time\n\nasync def {b}():\n    def wait():\n        time.sleep(1)\n    await run(wait)\n",
            )],
        ],
    ),
    case(
        "perf/sync-io-in-async",
        "rust",
        &[(
            "a/{a}.rs",
            "async fn {b}() {\n    std::thread::sleep(D);\n}\n",
        )],
        &[&[(
            "a/{a}.rs",
            "async fn {b}() {\n    spawn_blocking(|| std::thread::sleep(D)).await;\n}\n",
        )]],
    ),
    case(
        "perf/sync-io-in-async",
        "typescript",
        &[(
            "a/{a}.ts",
            "export async function {b}() {\n  return fs.readFileSync('x');\n}\n",
        )],
        &[&[(
            "a/{a}.ts",
            "export function {b}() {\n  return fs.readFileSync('x');\n}\n",
        )]],
    ),
    case(
        "sec/shell-true-dynamic",
        "python",
        &[(
            "a/{a}.py",
            "import subprocess\n\ndef {b}(name):\n    subprocess.run(f'ls {name}', shell=True)\n",
        )],
        &[&[(
            "a/{a}.py",
            "import subprocess\n\ndef {b}(name):\n    subprocess.run('ls', shell=True)\n    subprocess.run(['ls', name])\n",
        )]],
    ),
    case(
        "sec/unsafe-deserialise",
        "python",
        &[(
            "a/{a}.py",
            "import yaml\n\ndef {b}(text):\n    return yaml.load(text)\n",
        )],
        &[&[(
            "a/{a}.py",
            "import yaml\n\ndef {b}(text):\n    return yaml.load(text, Loader=yaml.SafeLoader)\n",
        )]],
    ),
    case(
        "sec/eval-dynamic",
        "typescript",
        &[(
            "a/{a}.ts",
            "export function {b}(text: string) {\n  return eval(text);\n}\n",
        )],
        &[&[(
            "a/{a}.ts",
            "export function {b}(text: string) {\n  return model.eval(text);\n}\n",
        )]],
    ),
    case(
        "sec/tls-off",
        "go",
        &[(
            "a/{a}.go",
            "package a\n\nfunc {b}() {\n\tuse(tls.Config{InsecureSkipVerify: true})\n}\n",
        )],
        &[&[(
            "a/{a}.go",
            "package a\n\nfunc {b}() {\n\tuse(tls.Config{InsecureSkipVerify: false})\n}\n",
        )]],
    ),
    case(
        "sec/sql-format",
        "python",
        &[(
            "a/{a}.py",
            "def {b}(cursor, name):\n    cursor.execute(f\"SELECT * FROM t WHERE a = '{name}'\")\n",
        )],
        &[
            &[(
                "a/{a}.py",
                "def {b}(cursor, name):\n    cursor.execute('SELECT * FROM t WHERE a = %s', [name])\n",
            )],
            &[(
                "a/{a}.py",
                "def {b}(pool, name):\n    pool.execute(f'job {name}')\n",
            )],
        ],
    ),
    case(
        "perf/alloc-in-loop",
        "python",
        &[(
            "a/{a}.py",
            "def {b}(urls):\n    for url in urls:\n        requests.Session().get(url)\n",
        )],
        &[
            &[(
                "a/{a}.py",
                "def {b}(urls):\n    {c} = requests.Session()\n    for url in urls:\n        {c}.get(url)\n",
            )],
            &[(
                "a/{a}.py",
                "def {b}(names):\n    for name in names:\n        boto3.client(name).list()\n",
            )],
        ],
    ),
    case(
        "perf/alloc-in-loop",
        "rust",
        &[(
            "a/{a}.rs",
            "fn {b}(rows: &[Row], name: &str) {\n    for row in rows {\n        row.put(&name.to_owned());\n    }\n}\n",
        )],
        &[
            &[(
                "a/{a}.rs",
                "fn {b}(rows: &[Row]) {\n    for row in rows {\n        row.put(&row.name.clone());\n    }\n}\n",
            )],
            &[(
                "a/{a}.rs",
                "fn {b}(rows: &[Row]) {\n    for row in rows {\n        let name = row.name();\n        row.put(&name.to_owned());\n    }\n}\n",
            )],
            &[(
                "a/{a}.rs",
                "fn {b}(row: &Row, name: &str) {\n    row.put(&name.to_owned());\n}\n",
            )],
        ],
    ),
    case(
        "perf/alloc-in-loop",
        "typescript",
        &[(
            "a/{a}.ts",
            "export function {b}(rows: number[]) {\n  for (const row of rows) {\n    show(new Intl.NumberFormat('en').format(row));\n  }\n}\n",
        )],
        &[&[(
            "a/{a}.ts",
            "export function {b}(rows: Row[]) {\n  for (const row of rows) {\n    show(new Intl.NumberFormat(row.locale).format(row.sum));\n  }\n}\n",
        )]],
    ),
    case(
        "perf/alloc-in-loop",
        "go",
        &[(
            "a/{a}.go",
            "package a\n\nfunc {b}(rows []string, name string) {\n\tfor _, row := range rows {\n\t\tput(strings.NewReplacer(name, \"x\").Replace(row))\n\t}\n}\n",
        )],
        &[
            &[(
                "a/{a}.go",
                "package a\n\nfunc {b}(rows []string, name string) {\n\tfor _, row := range rows {\n\t\tput(strings.NewReplacer(name, row).Replace(name))\n\t}\n}\n",
            )],
            &[(
                "a/{a}.go",
                "package a\n\nfunc {b}(n int) {\n\tfor i := 0; i < n; i++ {\n\t\tput(strings.NewReplacer(\"x\", i))\n\t}\n}\n",
            )],
        ],
    ),
    case(
        "perf/unbounded-query",
        "python",
        &[(
            "a/{a}.py",
            "def {b}():\n    for user in User.objects.all():\n        mail(user)\n",
        )],
        &[
            &[(
                "a/{a}.py",
                "def {b}():\n    for user in User.objects.all()[:100]:\n        mail(user)\n",
            )],
            &[(
                "a/{a}.py",
                "def {b}():\n    for user in User.objects.all().iterator():\n        mail(user)\n",
            )],
            &[("a/{a}.py", "def {b}():\n    return User.objects.all()\n")],
            &[(
                "a/migrations/{a}.py",
                "def {b}():\n    for user in User.objects.all():\n        mail(user)\n",
            )],
        ],
    ),
    case(
        "perf/unbounded-query",
        "go",
        &[(
            "a/{a}.go",
            "package a\n\nfunc {b}(db *DB) {\n\tdb.Query(\"SELECT id, name FROM users\")\n}\n",
        )],
        &[
            &[(
                "a/{a}.go",
                "package a\n\nfunc {b}(db *DB) {\n\tdb.Query(\"SELECT id FROM users WHERE id = ?\", 1)\n}\n",
            )],
            &[(
                "a/{a}.go",
                "package a\n\nfunc {b}(db *DB) {\n\tdb.Query(\"SELECT count(*) FROM users\")\n}\n",
            )],
            &[(
                "a/{a}.go",
                "package a\n\nfunc {b}(form Form) {\n\tform.Query(\"name\")\n}\n",
            )],
        ],
    ),
    case(
        "perf/unbounded-query",
        "typescript",
        &[(
            "a/{a}.ts",
            "export async function {b}() {\n  return prisma.user.findMany();\n}\n",
        )],
        &[&[(
            "a/{a}.ts",
            "export async function {b}() {\n  return prisma.user.findMany({ take: 100 });\n}\n",
        )]],
    ),
];
