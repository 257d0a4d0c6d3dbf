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
