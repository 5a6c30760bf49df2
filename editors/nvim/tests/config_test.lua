local config = require('farthing.config')
local support = require('support')

---@param user any
---@param want string[]
local function check_problems(user, want)
  local _, problems = config.resolve(user)
  support.equal(problems, want)
end

return {
  ['nothing set gives the defaults'] = function()
    local resolved, problems = config.resolve(nil)
    support.equal(problems, {})
    support.equal(resolved, {
      code_lens = true,
      inlay_hints = false,
      hunk_float = true,
      status = { spending = true, title_width = 40 },
    })
  end,

  ['a value is laid over its default and the others stay'] = function()
    local resolved, problems = config.resolve({ inlay_hints = true, status = { title_width = 9 } })
    support.equal(problems, {})
    support.equal(resolved.inlay_hints, true)
    support.equal(resolved.code_lens, true)
    support.equal(resolved.status, { spending = true, title_width = 9 })
  end,

  ['a misspelt key is named beside those that exist'] = function()
    check_problems({ codelens = true }, {
      'vim.g.farthing.codelens: no such option; there are code_lens, hunk_float, inlay_hints, status',
    })
  end,

  ['a wrong type is reported and the default used'] = function()
    local resolved, problems = config.resolve({ code_lens = 'yes', status = { spending = 1 } })
    support.equal(problems, {
      'vim.g.farthing.code_lens: expected boolean, got string',
      'vim.g.farthing.status.spending: expected boolean, got number',
    })
    support.equal(resolved.code_lens, true)
    support.equal(resolved.status.spending, true)
  end,

  ['something other than a table is reported'] = function()
    check_problems('yes', { 'vim.g.farthing: expected table, got string' })
    check_problems({ status = true }, { 'vim.g.farthing.status: expected table, got boolean' })
  end,

  ['a title of no width is reported'] = function()
    local resolved, problems = config.resolve({ status = { title_width = 0 } })
    support.equal(problems, { 'vim.g.farthing.status.title_width: expected 1 or more, got 0' })
    support.equal(resolved.status.title_width, 40)
  end,

  ['a function is called'] = function()
    vim.g.farthing = function()
      return { hunk_float = false }
    end
    support.equal(config.get().hunk_float, false)
  end,

  ['a function that fails leaves the defaults'] = function()
    vim.g.farthing = function()
      error('no such thing', 0)
    end
    local resolved, problems = config.read()
    support.equal(problems, { 'vim.g.farthing: no such thing' })
    support.equal(resolved.hunk_float, true)
  end,

  ['what is wrong is said once'] = function()
    local said = support.listen()
    vim.g.farthing = { hunk_flaot = false }
    config.get()
    config.get()
    support.equal(#said, 1)
  end,
}
