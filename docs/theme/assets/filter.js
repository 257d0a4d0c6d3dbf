// Filters above a list: they combine, and the address keeps them, so that a filtered view can be shared.
const rules = {
  same: (wanted, has) => has === wanted,
  word: (wanted, has) => has.split(" ").includes(wanted),
  most: (wanted, has) => Number(has) <= Number(wanted),
  text: (wanted, has) => wanted.toLowerCase().split(/\s+/).every(word => has.includes(word)),
}

document.querySelectorAll("form.filters").forEach(form => {
  const items = [...document.querySelectorAll(form.dataset.items)]
  const texts = new Map()  // read when someone first looks for a word
  const textOf = item => {
    if (!texts.has(item)) texts.set(item, `${item.textContent} ${item.dataset.text ?? ""}`.toLowerCase())
    return texts.get(item)
  }
  const controls = [...form.elements].filter(control => control.name)
  const output = form.querySelector("output")
  const contents = document.querySelectorAll(".md-nav--secondary a[href^='#']")

  // A heading with what stands below it, up to the next heading; a chapter ends where the next chapter begins.
  const parts = []
  for (let node = form.nextElementSibling; node; node = node.nextElementSibling) {
    if (/^H[23]$/.test(node.tagName)) parts.push({ level: Number(node.tagName[1]), nodes: [] })
    parts.at(-1)?.nodes.push(node)
  }
  for (const part of parts) part.items = items.filter(item => part.nodes.some(node => node.contains(item)))
  parts.forEach((part, index) => {
    if (part.level > 2) return
    for (const below of parts.slice(index + 1)) {
      if (below.level <= 2) break
      part.items.push(...below.items)
    }
  })

  function apply() {
    const wanted = controls.filter(control => control.value.trim())
    const holds = (item, control) => {
      const rule = control.dataset.match ?? "same"
      const has = rule === "text" ? textOf(item) : item.dataset[control.name]
      return rules[rule](control.value.trim(), has)
    }
    for (const item of items) item.hidden = !wanted.every(control => holds(item, control))
    for (const { items, nodes } of parts) {
      const empty = wanted.length > 0 && items.every(item => item.hidden)
      for (const node of nodes) node.hidden = empty
    }
    const shown = items.filter(item => !item.hidden).length
    output.textContent = shown ? output.dataset.text.replace("{n}", shown).replace("{total}", items.length) : output.dataset.none
    for (const link of contents) {  // a table of contents does not list what is hidden
      const target = document.getElementById(decodeURIComponent(link.hash.slice(1)))
      link.parentElement.hidden = Boolean(target?.hidden)
    }
    return wanted
  }

  function remember() {
    const address = new URL(location)
    address.search = new URLSearchParams(apply().map(control => [control.name, control.value.trim()]))
    history.replaceState(history.state, "", address)
  }

  function read() {
    const asked = new URLSearchParams(location.search)
    for (const control of controls) {
      control.value = asked.get(control.name) ?? ""
      if (control.selectedIndex < 0) control.selectedIndex = 0
    }
    apply()
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)))
    if (!target?.closest("[hidden]")) return
    controls.forEach(control => control.value = "")  // an address of one item wins over filters that hide it
    apply()
    target.scrollIntoView()
  }

  form.addEventListener("submit", event => event.preventDefault())
  form.addEventListener("input", remember)
  form.addEventListener("reset", () => setTimeout(remember))
  addEventListener("popstate", read)
  addEventListener("hashchange", read)
  read()
})
