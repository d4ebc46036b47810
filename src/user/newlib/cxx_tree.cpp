// The balancing of std::map and std::set, which libstdc++ keeps in its library: red-black trees.
//
// A red node has no red child, and every way down passes the same number of black nodes. The tree hangs below a header:
// its parent is the root, its left the leftmost node, its right the rightmost; the root's parent is the header.
#include <bits/stl_tree.h>

namespace {

using Node = std::_Rb_tree_node_base;

bool black(const Node* node) { return node == nullptr || node->_M_color == std::_S_black; }
Node*& child(Node* node, bool right) { return right ? node->_M_right : node->_M_left; }

// `fresh`, perhaps none, hangs where `old` does.
void replace(Node* old, Node* fresh, Node& header) {
    Node* parent = old->_M_parent;
    if (parent == &header) {
        header._M_parent = fresh;
    } else {
        child(parent, parent->_M_right == old) = fresh;
    }
    if (fresh != nullptr) {
        fresh->_M_parent = parent;
    }
}

// `top` goes down to the right or left; its child of the other side comes up in its place.
void rotate(Node* top, bool right, Node& header) {
    Node* up = child(top, !right);
    Node* moved = child(up, right);
    child(top, !right) = moved;
    if (moved != nullptr) {
        moved->_M_parent = top;
    }
    replace(top, up, header);
    child(up, right) = top;
    top->_M_parent = up;
}

// The parent of the red `node` may be red too.
void mend_red(Node* node, Node& header) {
    while (node != header._M_parent && !black(node->_M_parent)) {
        Node* parent = node->_M_parent;
        Node* grandparent = parent->_M_parent;      // there is one, for a root is black
        const bool side = parent == grandparent->_M_right;
        Node* uncle = child(grandparent, !side);
        if (!black(uncle)) {
            parent->_M_color = uncle->_M_color = std::_S_black;
            grandparent->_M_color = std::_S_red;
            node = grandparent;
            continue;
        }
        if (node == child(parent, !side)) {
            rotate(parent, side, header);
            std::swap(node, parent);
        }
        parent->_M_color = std::_S_black;
        grandparent->_M_color = std::_S_red;
        rotate(grandparent, !side, header);
    }
    header._M_parent->_M_color = std::_S_black;
}

// The ways through `node`, perhaps none, below `parent` have one black node too few.
void mend_short(Node* node, Node* parent, Node& header) {
    while (node != header._M_parent && black(node)) {
        const bool side = node == parent->_M_right;     // also for none: its sibling is there
        Node* sibling = child(parent, !side);
        if (!black(sibling)) {
            sibling->_M_color = std::_S_black;
            parent->_M_color = std::_S_red;
            rotate(parent, side, header);
            sibling = child(parent, !side);
        }
        Node* near = child(sibling, side);
        Node* far = child(sibling, !side);
        if (black(near) && black(far)) {
            sibling->_M_color = std::_S_red;
            node = parent;
            parent = node->_M_parent;
            continue;
        }
        if (black(far)) {
            near->_M_color = std::_S_black;
            sibling->_M_color = std::_S_red;
            rotate(sibling, !side, header);
            far = sibling;
            sibling = near;
        }
        sibling->_M_color = parent->_M_color;
        parent->_M_color = far->_M_color = std::_S_black;
        rotate(parent, side, header);
        return;
    }
    if (node != nullptr) {
        node->_M_color = std::_S_black;
    }
}

// `next`, the first node of `node`'s right subtree, has no left child: it leaves its place and takes that of `node`.
// The parent of the place that it left.
Node* take_place(Node* next, Node* node, Node& header) {
    Node* left_behind = next;
    if (next->_M_parent != node) {
        left_behind = next->_M_parent;
        replace(next, next->_M_right, header);
        next->_M_right = node->_M_right;
        next->_M_right->_M_parent = next;
    }
    replace(node, next, header);
    next->_M_left = node->_M_left;
    next->_M_left->_M_parent = next;
    std::swap(next->_M_color, node->_M_color);
    return left_behind;
}

}  // namespace

namespace std {

Node* _Rb_tree_increment(Node* node) noexcept {
    if (node->_M_right != nullptr) {
        return Node::_S_minimum(node->_M_right);
    }
    Node* above = node->_M_parent;
    while (node == above->_M_right) {
        node = above;
        above = above->_M_parent;
    }
    // From a root that is the last node the way up ends in the header, and above that is the root again.
    return node->_M_right != above ? above : node;
}
const Node* _Rb_tree_increment(const Node* node) noexcept { return _Rb_tree_increment(const_cast<Node*>(node)); }

Node* _Rb_tree_decrement(Node* node) noexcept {
    if (node->_M_color == _S_red && node->_M_parent->_M_parent == node) {   // the header, for a root is black
        return node->_M_right;
    }
    if (node->_M_left != nullptr) {
        return Node::_S_maximum(node->_M_left);
    }
    Node* above = node->_M_parent;
    while (node == above->_M_left) {
        node = above;
        above = above->_M_parent;
    }
    return above;
}
const Node* _Rb_tree_decrement(const Node* node) noexcept { return _Rb_tree_decrement(const_cast<Node*>(node)); }

void _Rb_tree_insert_and_rebalance(const bool left, Node* node, Node* parent, Node& header) noexcept {
    node->_M_parent = parent;
    node->_M_left = node->_M_right = nullptr;
    node->_M_color = _S_red;
    child(parent, !left) = node;        // the first node of all is the header's left
    if (parent == &header) {
        header._M_parent = header._M_right = node;
    } else if (left && parent == header._M_left) {
        header._M_left = node;
    } else if (!left && parent == header._M_right) {
        header._M_right = node;
    }
    mend_red(node, header);
}

// Takes the node out; the caller deletes what is returned.
Node* _Rb_tree_rebalance_for_erase(Node* const node, Node& header) noexcept {
    Node* rest;         // what hangs in the place that becomes free
    Node* parent;
    if (node->_M_left != nullptr && node->_M_right != nullptr) {
        Node* next = Node::_S_minimum(node->_M_right);
        rest = next->_M_right;
        parent = take_place(next, node, header);
    } else {
        rest = node->_M_left != nullptr ? node->_M_left : node->_M_right;
        parent = node->_M_parent;
        replace(node, rest, header);
        if (header._M_left == node) {
            header._M_left = rest != nullptr ? Node::_S_minimum(rest) : parent;
        }
        if (header._M_right == node) {
            header._M_right = rest != nullptr ? Node::_S_maximum(rest) : parent;
        }
    }
    if (black(node)) {
        mend_short(rest, parent, header);
    }
    return node;
}

}  // namespace std
