-- What the user may set in `vim.g.farthing`, checked once.

local M = {}

--- What users write: a table, or a function that returns one. Every field is optional.
---@class farthing.Config
---@field code_lens? boolean Show the server's code lenses (Neovim 0.12 or newer).
---@field inlay_hints? boolean Show the server's inlay hints.
---@field hunk_float? boolean Show a hunk's message after a jump to it.
---@field status? farthing.StatusConfig What `require('farthing').status()` says.

---@class farthing.StatusConfig
---@field spending? boolean Say what was spent today.
---@field title_width? integer Cells that the title of a run may take.

--- The same with every default filled in.
---@class farthing.ResolvedConfig
---@field code_lens boolean
---@field inlay_hints boolean
---@field hunk_float boolean
---@field status farthing.ResolvedStatusConfig

---@class farthing.ResolvedStatusConfig
---@field spending boolean
---@field title_width integer

---@type farthing.ResolvedConfig
local defaults = {
  code_lens = true,
  inlay_hints = false,
  hunk_float = true,
  status = { spending = true, title_width = 40 },
}

---@type farthing.ResolvedConfig?
local cached

--- The configuration in force. What is wrong with the user's is said once, and its default used.
---@return farthing.ResolvedConfig
function M.get()
  if not cached then
    local problems
    cached, problems = M.read()
    if #problems > 0 then
      local text = 'farthing: ' .. table.concat(problems, '\nfarthing: ')
      vim.notify(text, vim.log.levels.WARN)
    end
  end
  return cached
end

--- Reads `vim.g.farthing`.
---@return farthing.ResolvedConfig config
---@return string[] problems
function M.read()
  local user = vim.g.farthing
  if vim.is_callable(user) then
    local ok, result = pcall(user)
    if not ok then
      return vim.deepcopy(defaults), { ('vim.g.farthing: %s'):format(result) }
    end
    user = result
  end
  return M.resolve(user)
end

--- Lays the user's values over the defaults. A value that is wrong is reported and left out.
---@param user any
---@return farthing.ResolvedConfig config
---@return string[] problems one sentence each, naming the key and what it takes
function M.resolve(user)
  local problems = {} ---@type string[]
  local config = vim.deepcopy(defaults)
  ---@cast config table
  M._overlay(config, user == nil and {} or user, 'vim.g.farthing', problems)
  if config.status.title_width < 1 then
    local problem = 'vim.g.farthing.status.title_width: expected 1 or more, got %s'
    problems[#problems + 1] = problem:format(config.status.title_width)
    config.status.title_width = defaults.status.title_width
  end
  return config, problems
end

---@private
---@param into table<string, any> defaults, changed in place
---@param user any
---@param path string
---@param problems string[]
function M._overlay(into, user, path, problems)
  if type(user) ~= 'table' then
    problems[#problems + 1] = ('%s: expected table, got %s'):format(path, type(user))
    return
  end
  for key, value in vim.spairs(user) do
    local at = ('%s.%s'):format(path, key)
    local default = into[key]
    if default == nil then
      local known = vim.tbl_keys(into)
      table.sort(known)
      problems[#problems + 1] = ('%s: no such option; there are %s'):format(
        at,
        table.concat(known, ', ')
      )
    elseif type(default) == 'table' then
      M._overlay(default, value, at, problems)
    elseif type(value) ~= type(default) then
      problems[#problems + 1] = ('%s: expected %s, got %s'):format(at, type(default), type(value))
    else
      into[key] = value
    end
  end
end

--- Forgets what was read, so that a changed `vim.g.farthing` is read again.
function M.reset()
  cached = nil
end

return M
