// Part 0: what each worker has answered since the last like, and whether they agree.
(() => {
  const component = (type, props) => ({namespace: "dash_mantine_components", type, props});

  const list_answers = (answer, clicks, seen) => {
    if (!answer) return [null, null];
    const known = seen && seen.clicks === clicks ? seen.answers : {};
    const answers = {...known, [answer.worker]: answer.likes};
    const agree = new Set(Object.values(answers)).size === 1;
    const color = agree ? "teal" : "red";
    const tiles = Object.entries(answers).map(([worker, likes]) => component("Paper", {
      key: worker, p: "sm", withBorder: true, className: `answer ${color}`, children: [
        component("Text", {size: "xs", c: "dimmed", children: `worker ${worker}`}),
        component("Text", {fz: 28, fw: 700, lh: 1.2, className: "likes", children: String(likes)}),
      ],
    }));
    const verdict = agree ? (tiles.length === 1 ? "Only one worker has answered yet." : "All say the same.") : "They disagree.";
    return [
      [
        component("SimpleGrid", {cols: {base: 2, xs: 4}, spacing: "xs", children: tiles}),
        component("Text", {className: `verdict ${color}`, fw: 600, mt: "sm", children: verdict}),
      ],
      {clicks, answers},
    ];
  };

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.gallery = {list_answers};
})();
