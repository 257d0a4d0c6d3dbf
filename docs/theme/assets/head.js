{#- A template, filled in for each language. What the theme would write into every page stands here once. -#}
{%- import "partials/language.html" as lang with context -%}
// Scripts run: the theme says so once its own has arrived, and then search and navigation jump into their places.
document.documentElement.classList.replace("no-js", "js")

// Where the reader's choices are kept, as the theme's script expects it: by the path of the site.
const site = new URL("..", document.currentScript.src)
const __md_scope = site
const __md_hash = text => [...text].reduce((sum, letter) => (sum << 5) - sum + letter.charCodeAt(0), 0)
const __md_get = (key, store = localStorage, scope = site) => JSON.parse(store.getItem(scope.pathname + "." + key))
const __md_set = (key, value, store = localStorage, scope = site) => {
  try { store.setItem(scope.pathname + "." + key, JSON.stringify(value)) } catch {}
}

// The colours chosen on an earlier page, called before anything is painted.
function paint() {
  const { color } = __md_get("__palette") || {}
  if (!color) return
  if (color.media === "(prefers-color-scheme)") {
    const scheme = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark"
    const { dataset } = document.querySelector(`[data-md-color-media="(prefers-color-scheme: ${scheme})"]`)
    Object.assign(color, { media: dataset.mdColorMedia, scheme: dataset.mdColorScheme })
  }
  for (const [key, value] of Object.entries(color)) document.body.setAttribute("data-md-color-" + key, value)
}

// What the theme's script reads.
{%- set keys = [
  "clipboard.copy", "clipboard.copied", "search.result.placeholder", "search.result.none", "search.result.one",
  "search.result.other", "search.result.more.one", "search.result.more.other", "search.result.term.missing"
] %}
document.head.append(Object.assign(document.createElement("script"), {
  id: "__config", type: "application/json", text: JSON.stringify({
    base: site.href,
    features: {{ config.theme.features | tojson }},
    search: new URL("{{ config.extra.search_worker }}", site).href,
    translations: { {%- for key in keys %}"{{ key }}": {{ lang.t(key) | tojson }}, {% endfor -%} },
  }),
}))

// The search index grows with the shelf. It is fetched when someone turns to the search, not on every visit:
// the theme asks for it at once, so the request waits here until the search field has the focus.
{
  const { open, send } = XMLHttpRequest.prototype
  const wanted = new Promise(resolve => {
    if (new URLSearchParams(location.search).has("h")) resolve()  // it marks the word that was searched for
    addEventListener("focusin", event => {
      if (event.target.matches("[data-md-component=search-query]")) resolve()
    })
  })
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.waits = String(url).endsWith("search/search_index.json")
    return open.call(this, method, url, ...rest)
  }
  XMLHttpRequest.prototype.send = function (...body) {
    return this.waits ? void wanted.then(() => send.apply(this, body)) : send.apply(this, body)
  }
}
