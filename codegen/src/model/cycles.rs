//! Which nodes of a graph lie on one cycle, without recursion: contracts may be longer than a stack.

/// For each node the number of its group: nodes that reach each other share one. Groups are numbered from the
/// far end, so that an edge never leads to a higher group.
pub(crate) fn groups(edges: &[Vec<usize>]) -> Vec<usize> {
    let mut walk = Walk { edges, low: vec![0; edges.len()], ..Walk::default() };
    walk.group = vec![None; edges.len()];
    (0..edges.len()).for_each(|node| walk.from(node));
    walk.group.into_iter().map(|group| group.expect("every node was walked to")).collect()
}

/// Tarjan's walk. A node's `low` is 0 until it is met; then the earliest node it is known to lead back to.
#[derive(Default)]
struct Walk<'a> {
    edges: &'a [Vec<usize>],
    low: Vec<usize>,
    met: usize,
    open: Vec<usize>,
    group: Vec<Option<usize>>,
    groups: usize,
}

impl Walk<'_> {
    fn from(&mut self, start: usize) {
        if self.low[start] > 0 {
            return;
        }
        let mut path = vec![self.meet(start)];
        while let Some((node, order, next)) = path.last_mut() {
            let (node, order) = (*node, *order);
            match self.edges[node].get(*next) {
                Some(&inner) => {
                    *next += 1;
                    if self.low[inner] == 0 {
                        path.push(self.meet(inner));
                    } else if self.group[inner].is_none() {
                        self.low[node] = self.low[node].min(self.low[inner]);
                    }
                }
                None => {
                    path.pop();
                    if self.low[node] == order {
                        self.close(node);
                    } else if let Some((outer, ..)) = path.last() {
                        self.low[*outer] = self.low[*outer].min(self.low[node]);
                    }
                }
            }
        }
    }

    fn meet(&mut self, node: usize) -> (usize, usize, usize) {
        self.met += 1;
        self.low[node] = self.met;
        self.open.push(node);
        (node, self.met, 0)
    }

    /// Everything met since the node leads back to it: a group.
    fn close(&mut self, node: usize) {
        while let Some(member) = self.open.pop() {
            self.group[member] = Some(self.groups);
            if member == node {
                break;
            }
        }
        self.groups += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::groups;

    #[test]
    fn nodes_of_one_cycle_are_a_group() {
        let edges = [vec![1], vec![2, 3], vec![0], vec![4], vec![3], vec![5]];
        assert_eq!(groups(&edges), [1, 1, 1, 0, 0, 2]);
    }

    #[test]
    fn inner_groups_come_first() {
        assert_eq!(groups(&[vec![1], vec![2], vec![]]), [2, 1, 0]);
    }
}
