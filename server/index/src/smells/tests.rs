#![allow(clippy::unwrap_used)]

use expect_test::{Expect, expect};
use text::Text;

use super::*;

fn check(language: &str, source: &str, expected: Expect) {
    let text = Text::from(source);
    let parsed = Parsed::parse(grammars::by_name(language).unwrap(), &text);
    let smells = parsed.smells();
    assert_eq!(parsed.facts().smells_in(source, &|_| true), smells);
    let lines = smells.iter().map(|whiff| {
        let line = text.line_of(whiff.range.start) + 1;
        format!(
            "{line} {} in {}: {}\n",
            whiff.smell.word(),
            whiff.symbol,
            whiff.text
        )
    });
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn what_is_repeated_must_be_the_same_in_each_round_or_depend_on_it() {
    check(
        "python",
        "\
def f(rows, pattern):
    a = re.compile('x')
    for row in rows:
        b = re.compile('x+')
        c = re.compile(f'{row}x')
        d = re.compile(pattern)
        later = lambda: re.compile('x')
        one = User.objects.get(pk=row.id)
        made = User.objects.create(name=row.name)
        same = User.objects.get(pk=1)
        many = User.objects.filter(pk__in=row).count()
        first = User._default_manager.filter(a=row).first()
        word = row.get('a', 1)
    return [User.objects.get(pk=r) for r in rows]
",
        expect![[r#"
            4 regex-in-loop in f: re.compile('x+')
            8 query-in-loop in f: User.objects.get(pk=row.id)
            12 query-in-loop in f: User._default_manager.filter(a=row).first()
            14 query-in-loop in f: User.objects.get(pk=r)
        "#]],
    );
}

#[test]
fn an_asynchronous_function_must_not_block() {
    check(
        "python",
        "\
async def a():
    time.sleep(1)
    await asyncio.sleep(1)
    def b():
        time.sleep(1)
def c():
    requests.get('x')
",
        expect![[r#"
            2 blocking-in-async in a: time.sleep(1)
        "#]],
    );
    check(
        "rust",
        "\
async fn a() {
    std::thread::sleep(d);
    let x = std::fs::read_to_string(p);
    fs::read_to_string(p).await;
    spawn_blocking(|| std::fs::read(p));
}
fn b() {
    thread::sleep(d);
    async { thread::sleep(d) };
    for i in x { Regex::new(\"a\"); Regex::new(i); }
}
",
        expect![[r#"
            2 blocking-in-async in a: std::thread::sleep(d)
            3 blocking-in-async in a: std::fs::read_to_string(p)
            9 blocking-in-async in b: thread::sleep(d)
            10 regex-in-loop in b: Regex::new("a")
        "#]],
    );
    check(
        "typescript",
        "\
async function a(ids: string[]) {
  fs.readFileSync('x');
  ids.map((id) => fs.readFileSync(id));
  for (const id of ids) {
    await users.findOneBy({ id });
    await users.findOneBy({ name });
    new RegExp('a+');
    new RegExp(id);
  }
}
const b = () => readFileSync('x');
",
        expect![[r#"
            2 blocking-in-async in a: fs.readFileSync('x')
            5 query-in-loop in a: await users.findOneBy({ id })
            5 await-in-loop in a: await users.findOneBy({ id })
            7 regex-in-loop in a: new RegExp('a+')
        "#]],
    );
    check(
        "go",
        "\
package a
func f(ids []int) {
    for _, id := range ids {
        db.QueryRow(\"select\", id)
        db.QueryRow(\"select\", 1)
        regexp.MustCompile(`a+`)
    }
    c := tls.Config{InsecureSkipVerify: true}
}
",
        expect![[r#"
            4 query-in-loop in f: db.QueryRow("select", id)
            6 regex-in-loop in f: regexp.MustCompile(`a+`)
            8 tls-off in f: InsecureSkipVerify: true
        "#]],
    );
}

#[test]
fn security_smells_need_something_that_is_not_written_there() {
    check(
        "python",
        "\
def f(cmd, name):
    subprocess.run(cmd, shell=True)
    subprocess.run('ls', shell=True)
    subprocess.run(['ls', cmd])
    os.system(f'rm {name}')
    os.system('ls')
    yaml.load(name)
    yaml.load(name, Loader=SafeLoader)
    pickle.loads(name)
    eval(name)
    eval('1')
    requests.get(name, verify=False)
    cursor.execute(f'SELECT * FROM t WHERE a = {name}')
    cursor.execute('SELECT * FROM t WHERE a = %s' % name)
    cursor.execute('SELECT * FROM t WHERE a = %s', [name])
    pool.execute(f'{name}')
",
        expect![[r#"
            2 dynamic-shell in f: subprocess.run(cmd, shell=True)
            5 dynamic-shell in f: os.system(f'rm {name}')
            7 unsafe-deserialise in f: yaml.load(name)
            9 unsafe-deserialise in f: pickle.loads(name)
            10 dynamic-eval in f: eval(name)
            12 tls-off in f: requests.get(name, verify=False)
            13 sql-format in f: cursor.execute(f'SELECT * FROM t WHERE a = {name}')
            14 sql-format in f: cursor.execute('SELECT * FROM t WHERE a = %s' % name)
        "#]],
    );
    check(
        "typescript",
        "\
function f(name: string) {
  execSync(`rm ${name}`);
  execSync(`ls`);
  child.exec(`rm ${name}`);
  pattern.exec(name);
  eval(name);
  https.request({ rejectUnauthorized: false });
}
",
        expect![[r#"
            2 dynamic-shell in f: execSync(`rm ${name}`)
            4 dynamic-shell in f: child.exec(`rm ${name}`)
            6 dynamic-eval in f: eval(name)
            7 tls-off in f: rejectUnauthorized: false
        "#]],
    );
    check(
        "rust",
        "fn f() { Client::builder().danger_accept_invalid_certs(true); b.danger_accept_invalid_certs(false); }",
        expect![[r#"
            1 tls-off in f: Client::builder().danger_accept_invalid_certs(true)
        "#]],
    );
}

#[test]
fn what_grows_in_a_loop_must_not_start_anew_in_it() {
    check(
        "python",
        "\
async def f(rows, names):
    text, seen, known = '', [], set()
    seen = []
    for row in rows:
        text += f'<{row}>'
        part = ''
        part += 'x'
        if row not in seen or row in known or row in names:
            seen.append(row)
        await fetch(row)
        await fetch(1)
    text += 'x'
    seen = set(seen)
    return [row for row in rows if row in seen]
",
        expect![[r#"
            5 concat-in-loop in f: text += f'<{row}>'
            8 search-in-loop in f: row not in seen
            10 await-in-loop in f: await fetch(row)
        "#]],
    );
    check(
        "typescript",
        "\
async function f(rows: Row[], name: string) {
  const known = rows.filter((row) => row.ok);
  for (const row of rows) {
    const mine = [];
    if (known.includes(row) || name.includes(row.name) || mine.includes(row)) await fetch(row);
  }
  rows.forEach(async (row) => await fetch(row));
}
",
        expect![[r#"
            5 search-in-loop in f: known.includes(row)
            5 await-in-loop in f: await fetch(row)
        "#]],
    );
    check(
        "java",
        "\
class A {
  String f(List<Row> rows) {
    String text = \"\";
    int sum = 0;
    for (Row row : rows) {
      text += row + \",\";
      sum += row.size();
      Pattern.compile(\"a+\");
      entityManager.find(Row.class, row.id());
      String part = \"\";
      part += \"x\";
    }
    return text;
  }
}
",
        expect![[r#"
            6 concat-in-loop in A/f: text += row + ","
            8 regex-in-loop in A/f: Pattern.compile("a+")
            9 query-in-loop in A/f: entityManager.find(Row.class, row.id())
        "#]],
    );
}

#[test]
fn a_lock_must_be_gone_before_others_run() {
    check(
        "rust",
        "\
async fn f(&self) {
    let mut held = self.map.lock().unwrap();
    held.insert(1, fetch().await);
    drop(held);
    fetch().await;
    {
        let held = self.map.read().expect(\"x\");
    }
    fetch().await;
    let fair = self.map.lock().await;
    fetch().await;
    for row in rows { fetch(row).await; }
}
",
        expect![[r#"
            3 lock-across-await in f: fetch().await
            12 await-in-loop in f: fetch(row).await
        "#]],
    );
}
