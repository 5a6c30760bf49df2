// `node stylua.cjs --check|--fix FOLDER…`: the command line that StyLua's npm package lacks.

const fs = require('node:fs');
const path = require('node:path');
const stylua = require('@johnnymorganz/stylua');

const [mode, ...folders] = process.argv.slice(2);

// The same file that StyLua reads by itself in an editor; its values are numbers and names.
const style = [...fs.readFileSync('editors/nvim/.stylua.toml', 'utf8').matchAll(/^(\w+) = (.+)$/gm)];
const names = { indent_type: stylua.IndentType, quote_style: stylua.QuoteStyle };

function format(code) {
  // Formatting consumes its configuration.
  const config = stylua.Config.new();
  for (const [, key, value] of style) {
    const plain = JSON.parse(value);
    config[key] = key in names ? names[key][plain] : plain;
  }
  return stylua.formatCode(code, config, undefined, stylua.OutputVerification.Full);
}

const files = folders
  .flatMap((folder) => fs.readdirSync(folder, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && entry.name.endsWith('.lua'))
  .map((entry) => path.join(entry.parentPath, entry.name));

const wrong = files.filter((file) => {
  const before = fs.readFileSync(file, 'utf8');
  const after = format(before);
  if (mode === '--fix' && after !== before) fs.writeFileSync(file, after);
  return after !== before;
});

for (const file of wrong) {
  console.log(mode === '--fix' ? `laid out ${file}` : `${file} is not laid out as StyLua does`);
}
if (mode === '--check') {
  console.log(`layout: ${files.length - wrong.length} of ${files.length} files`);
  process.exitCode = wrong.length > 0 ? 1 : 0;
}
