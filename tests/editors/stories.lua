-- Plays stories with the real server and the scripted provider: for each a copy of its workspace, a
-- home of its own, a provider that reads its script, and the player of its editor.
--
--   nvim --clean -l tests/editors/stories.lua STORY.json…
--
-- FARTHING_SERVER names the server; target/debug/farthing when unset.

local here = vim.fs.dirname(vim.fs.normalize(vim.uv.fs_realpath(arg[0])))
local root = vim.fs.normalize(here .. '/../..')
local server = vim.env.FARTHING_SERVER or (root .. '/target/debug/farthing')

---@class farthing.StoryFile what a story says beside what its player reads
---@field editor "nvim"|"helix"
---@field neovim? "oldest"
---@field script string what the provider says, beside the story
---@field workspace string a folder, from the root of the repository

---@param program string
---@return string
local function editor_program(program)
  return root .. '/target/editors/bin/' .. program
end

--- Starts the provider, which serves until its input is closed.
---@param script string
---@return vim.SystemObj process
---@return string base_url
---@return fun(): string output
local function provide(script)
  local output = ''
  local process = vim.system({ server, 'scripted', '--script', script }, {
    stdin = true,
    stdout = function(_, data)
      output = output .. (data or '')
    end,
  })
  assert(vim.wait(5000, function()
    return output:find('\n', 1, true) ~= nil
  end, 5))
  local first = assert(output:match('^[^\n]*'))
  return process, vim.json.decode(first).base_url, function()
    return output
  end
end

---@param home string
---@param base_url string
---@return table<string, string>
local function environment(home, base_url)
  local env = { ANTHROPIC_API_KEY = 'dummy', ANTHROPIC_BASE_URL = base_url }
  for name, folder in pairs({ CONFIG = 'config', STATE = 'state', CACHE = 'cache', DATA = 'data' }) do
    env[('XDG_%s_HOME'):format(name)] = ('%s/%s'):format(home, folder)
    vim.fn.mkdir(('%s/%s'):format(home, folder), 'p')
  end
  vim.fn.mkdir(home .. '/config/farthing', 'p')
  return env
end

--- Plays one story.
---@param file string
---@return string? why it failed
local function play(file)
  local lines = vim.fn.readfile(file)
  local story = vim.json.decode(table.concat(lines, '\n')) ---@type farthing.StoryFile
  local home = vim.fn.tempname()
  vim.fn.mkdir(home, 'p')
  local copied = vim.system({ 'cp', '-R', root .. '/' .. story.workspace, home .. '/workspace' })
  assert(copied:wait().code == 0, 'the workspace could not be copied')
  vim.fn.mkdir(home .. '/workspace/.git', 'p')

  local seen = ('%s/target/editors/seen/%s-%s'):format(root, story.editor, vim.fs.basename(file))
  vim.fn.mkdir(vim.fs.dirname(seen), 'p')
  local script = vim.fs.joinpath(vim.fs.dirname(file), story.script)
  local provider, base_url, said = provide(script)
  local env = environment(home, base_url)
  if story.neovim == 'oldest' then
    env.NVIM_PROGRAM = editor_program('nvim-oldest')
  end
  local told = vim.tbl_extend('force', story, {
    workspace = home .. '/workspace',
    server = { server, 'serve' },
  })
  vim.fn.writefile({ vim.json.encode(told) }, home .. '/story.json')
  local player = vim
    .system({
      editor_program('nvim'),
      '--clean',
      '-l',
      ('%s/%s/story.lua'):format(here, story.editor),
      home .. '/story.json',
      seen,
    }, { env = env, text = true })
    :wait(120000)
  provider:write(nil)
  provider:wait(5000)

  if player.code ~= 0 then
    return ('%s\nwhat was seen: %s'):format(vim.trim(player.stderr or ''), seen)
  end
  local last = assert(vim.trim(said()):match('[^\n]*$'))
  local report = vim.json.decode(last)
  if #report.failures > 0 then
    return 'the provider did not expect this: ' .. table.concat(report.failures, '\n')
  end
end

local passed, failed = 0, 0
for _, file in ipairs(arg) do
  local began = vim.uv.hrtime()
  local ok, why = pcall(play, file)
  local seconds = (vim.uv.hrtime() - began) / 1e9
  local name = vim.fs.normalize(file):match('([^/]+/[^/]+)%.json$')
  if ok and not why then
    passed = passed + 1
    io.stdout:write(('ok     %s (%.1f s)\n'):format(name, seconds))
  else
    failed = failed + 1
    io.stdout:write(('FAIL   %s (%.1f s)\n%s\n'):format(name, seconds, why))
  end
end
io.stdout:write(('%d passed, %d failed, 0 skipped\n'):format(passed, failed))
os.exit(failed == 0 and passed > 0 and 0 or 1)
